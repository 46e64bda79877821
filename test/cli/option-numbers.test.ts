import { describe, expect, it } from 'vitest';
import { askedCovariates } from '../../src/cli/asked-covariates.ts';
import {
  anyNumber,
  frameArea,
  optionNumber,
  positiveNumber,
  share,
  wholeNumber,
} from '../../src/cli/command.ts';

describe('a number of an option', () => {
  it.each([
    ['0,25', 0.25],
    ['0.25', 0.25],
    [' 3,5 ', 3.5],
    [',5', 0.5],
    ['-0,3', -0.3],
    ['0,125', 0.125],
    ['12,3456', 12.3456],
    ['1e3', 1000],
    ['1234', 1234],
  ])('may have a decimal comma: %s is %f', (text, value) => {
    expect(optionNumber(text)).toBe(value);
  });

  it.each(['', ' ', '1,234', '12,500', '1,2,3', 'a', '1,', '3,5 ha'])('is not %j', (text) => {
    expect(optionNumber(text)).toBeNaN();
  });

  it('is a share with or without a percent sign, and a percentage without one is asked for', () => {
    expect(share('--precision')('0.15')).toBe(0.15);
    expect(share('--precision')('15%')).toBe(0.15);
    expect(() => share('--precision')('15')).toThrow('between 0 and 1; 15 % is 0.15, or 15%');
  });

  it('is read so of every option, and what a comma leaves open is asked for', () => {
    expect(positiveNumber('--hectares')('3,5')).toBe(3.5);
    expect(anyNumber('--ndvi')('0,6')).toBe(0.6);
    expect(frameArea('0,25')).toBe(0.25);
    expect(() => positiveNumber('--hectares')('1,250')).toThrow(
      '--hectares 1,250: give a number above 0, with a decimal point, as 1.5',
    );
    expect(() => positiveNumber('--hectares')('-1')).toThrow(/^--hectares -1: give a number above 0$/);
    expect(() => wholeNumber('--seed')('1,5')).toThrow(/--seed 1,5: give a whole number/);
    expect(() => frameArea('2500')).toThrow(/if it is in cm², give 0\.25/);
    expect(askedCovariates({ ndvi: anyNumber('--ndvi')('0,6') })).toEqual({ values: { ndvi: 0.6 } });
  });
});
