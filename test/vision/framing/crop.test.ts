import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/ground/errors.ts';
import { cornersOf, parseCrop } from '../../../src/vision/framing/crop.ts';

const photo = { name: 'IMG_1.jpg', width: 400, height: 300 };

describe('parseCrop', () => {
  it('reads none, auto, four numbers and eight', () => {
    expect(parseCrop('none')).toBeNull();
    expect(parseCrop('auto')).toBe('auto');
    expect(parseCrop('10, 20,300,200')).toEqual([10, 20, 300, 200]);
    expect(parseCrop('0.1,0.1,0.9,0.1,0.9,0.9,0.1,0.9')).toHaveLength(8);
  });

  it.each(['', 'automatic', '1,2,3', '1,2,3,x', '1,,3,4', '-1,0,10,10', '1,2,3,4,5', 'NaN,1,1,1'])(
    'refuses "%s" and says what may be given',
    (text) => {
      expect(() => parseCrop(text)).toThrow(UsageError);
      expect(() => parseCrop(text)).toThrow(/give none, auto, x,y,w,h, or four corners/);
    },
  );
});

describe('cornersOf', () => {
  it('takes pixels of the upright photo', () => {
    expect(cornersOf([40, 30, 200, 100], photo)).toEqual([
      { x: 40, y: 30 },
      { x: 240, y: 30 },
      { x: 240, y: 130 },
      { x: 40, y: 130 },
    ]);
  });

  it('takes shares of width and height where none is above 1', () => {
    expect(cornersOf([0.1, 0.1, 0.5, 0.5], photo)).toEqual(cornersOf([40, 30, 200, 150], photo));
    expect(cornersOf([0, 0, 1, 1], photo)[2]).toEqual({ x: 400, y: 300 });
  });

  it('takes four corners in any order, and begins where the picture is not turned', () => {
    const around = cornersOf([50, 40, 350, 60, 330, 250, 60, 240], photo);
    expect(around[0]).toEqual({ x: 50, y: 40 });
    expect(cornersOf([330, 250, 50, 40, 60, 240, 350, 60], photo)).toEqual(around);
  });

  it.each([
    ['beyond the right', [200, 0, 201, 100]],
    ['beyond the bottom', [0, 0, 100, 302]],
    ['of no width', [10, 10, 0, 100]],
    ['of a few pixels', [10, 10, 12, 100]],
    ['with a corner inside the others', [10, 10, 300, 10, 100, 60, 10, 200]],
  ])('refuses a part %s, naming the photo and its size', (_, numbers) => {
    expect(() => cornersOf(numbers, photo)).toThrow(UsageError);
    expect(() => cornersOf(numbers, photo)).toThrow(/IMG_1\.jpg, which is 400×300 pixels upright/);
  });
});
