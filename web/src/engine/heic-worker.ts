import { answerQuestions } from './answer-questions.ts';
import { decodePhoto } from './decode.ts';

/** What is asked of a worker that decodes what browsers do not show. */
export interface HeicQuestions {
  readonly picture: {
    /** `widest`: of the copy's longer side, pixels. */
    readonly ask: { readonly photo: Blob; readonly widest: number };
    /** A JPEG to look at, and the size of the photo itself. */
    readonly answer: { readonly jpeg: Blob; readonly width: number; readonly height: number };
  };
}

answerQuestions<HeicQuestions>({
  async picture({ photo, widest }) {
    const { data, width, height } = await decodePhoto('photo', new Uint8Array(await photo.arrayBuffer()));
    const scale = Math.min(1, widest / Math.max(width, height));
    const canvas = new OffscreenCanvas(
      Math.max(1, Math.round(width * scale)),
      Math.max(1, Math.round(height * scale)),
    );
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no canvas');
    const pixels = new Uint8ClampedArray(width * height * 4);
    for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
      pixels[to] = data[from] as number;
      pixels[to + 1] = data[from + 1] as number;
      pixels[to + 2] = data[from + 2] as number;
      pixels[to + 3] = 255;
    }
    const whole = await createImageBitmap(new ImageData(pixels, width, height));
    context.imageSmoothingQuality = 'high';
    context.drawImage(whole, 0, 0, canvas.width, canvas.height);
    whole.close();
    return { jpeg: await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.85 }), width, height };
  },
});
