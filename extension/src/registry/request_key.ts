import { UUID } from '@lumino/coreutils';

/**
 * The key of a request that must be carried out once.
 *
 * Where no answer came, the registry may have carried the request out: sent again unchanged it has the same key, and
 * the registry gives the answer of the first. After an answer, a result or a refusal, the next request is another one.
 */
export class RequestKey {
  private key = '';
  private request = '';

  constructor(private readonly newKey: () => string = () => UUID.uuid4()) {}

  async send<T>(request: unknown, act: (key: string) => Promise<T>): Promise<T> {
    const text = JSON.stringify(request);
    if (!this.key || text !== this.request) {
      this.key = this.newKey();
      this.request = text;
    }
    const { key } = this;
    try {
      const answer = await act(key);
      this.forget(key);
      return answer;
    } catch (error) {
      if (isRefusal(error)) {
        this.forget(key);
      }
      throw error;
    }
  }

  private forget(key: string): void {
    if (this.key === key) {
      this.key = '';
    }
  }
}

/** 5xx may come from a proxy that gave up waiting for the registry. */
function isRefusal(error: unknown): boolean {
  const status = (error as { status?: number } | null)?.status ?? 0;
  return status >= 400 && status < 500;
}
