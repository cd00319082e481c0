import { ServerConnection } from '@jupyterlab/services';

import { EventParser } from './parser';

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 15000;

/**
 * The registry's events, for as long as somebody looks.
 *
 * The browser's own EventSource cannot send the header by which a hub tells our page's requests from those of
 * another site, so the stream is read by fetch. After an interruption it goes on behind the last event seen.
 */
export class EventStream {
  private readonly abort = new AbortController();
  private lastId = '';
  private retryMs = FIRST_RETRY_MS;

  constructor(
    private readonly url: string,
    private readonly settings: ServerConnection.ISettings,
    private readonly on: {
      open(): void;
      event(data: string): void;
      interrupted(): void;
    }
  ) {}

  /** Runs until `close`. */
  async run(): Promise<void> {
    while (!this.abort.signal.aborted) {
      try {
        await this.read();
      } catch {
        // Whatever it was, the answer is the same: say so, wait, try again.
      }
      if (this.abort.signal.aborted) {
        return;
      }
      this.on.interrupted();
      await new Promise(resolve => window.setTimeout(resolve, this.retryMs));
      this.retryMs = Math.min(2 * this.retryMs, LONGEST_RETRY_MS);
    }
  }

  close(): void {
    this.abort.abort();
  }

  private async read(): Promise<void> {
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (this.lastId) {
      headers['Last-Event-ID'] = this.lastId;
    }
    const response = await ServerConnection.makeRequest(
      this.url,
      { headers, signal: this.abort.signal },
      this.settings
    );
    if (!response.ok || !response.body) {
      return;
    }
    this.retryMs = FIRST_RETRY_MS;
    this.on.open();
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const parser = new EventParser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      for (const event of parser.feed(decoder.decode(value, { stream: true }))) {
        this.lastId = event.id || this.lastId;
        this.on.event(event.data);
      }
    }
  }
}
