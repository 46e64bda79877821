import type { Browser, CDPSession } from 'playwright-core';
import { until } from './until.ts';

interface Answer {
  readonly id: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/**
 * A page that Playwright does not look after. Its own pages log the network, for which Chromium keeps what every response
 * held: each picture that was shown, which would be taken for memory that the app does not give back.
 */
export class BarePage implements AsyncDisposable {
  readonly #session: CDPSession;
  readonly #target: string;
  readonly #attached: string;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  #sent = 0;

  private constructor(session: CDPSession, target: string, attached: string) {
    this.#session = session;
    this.#target = target;
    this.#attached = attached;
    session.on('Target.receivedMessageFromTarget', ({ sessionId, message }) => {
      if (sessionId !== attached) return;
      const answer: Answer = JSON.parse(message);
      this.#answers.get(answer.id)?.(answer);
      this.#answers.delete(answer.id);
    });
  }

  /** @param before runs in it before each of its documents */
  static async open(browser: Browser, address: string, before: () => void): Promise<BarePage> {
    const session = await browser.newBrowserCDPSession();
    const { targetId } = await session.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await session.send('Target.attachToTarget', { targetId, flatten: false });
    const page = new BarePage(session, targetId, sessionId);
    await page.send('Page.addScriptToEvaluateOnNewDocument', { source: `(${before})()` });
    await page.send('Page.navigate', { url: address });
    return page;
  }

  async send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#sent;
    const answered = new Promise<Answer>((resolve) => this.#answers.set(id, resolve));
    const message = JSON.stringify({ id, method, params });
    await this.#session.send('Target.sendMessageToTarget', { sessionId: this.#attached, message });
    const { result, error } = await answered;
    if (!result) throw new Error(`${method}: ${error?.message}`);
    return result;
  }

  /** What an expression's value is, once it is there. */
  async evaluate(expression: string): Promise<unknown> {
    const { result } = await this.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    return (result as { readonly value?: unknown }).value;
  }

  async shows(text: string): Promise<void> {
    await until(async () => (await this.evaluate(`document.body.innerText.includes('${text}')`)) === true);
  }

  /** Gives a file to the first input that a selector finds. */
  async choose(selector: string, path: string): Promise<void> {
    const objectGroup = 'chosen';
    const objectId = await until(async () => {
      const expression = `document.querySelector('${selector}')`;
      const { result } = await this.send('Runtime.evaluate', { expression, objectGroup });
      return (result as { readonly objectId?: string }).objectId ?? false;
    });
    await this.send('DOM.setFileInputFiles', { files: [path], objectId });
    await this.send('Runtime.releaseObjectGroup', { objectGroup });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.send('Target.closeTarget', { targetId: this.#target });
    await this.#session.detach();
  }
}
