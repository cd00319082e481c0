import { wordsOf } from '../words_of';

type Heard = (...values: unknown[]) => void;

/** What a module of ours takes in the place of a notebook's widget model. */
export class LiveModel {
  private readonly listeners = new Map<string, Set<Heard>>();
  private last: Promise<void> = Promise.resolve();

  /** answer: what the server says to a message of the widget; undefined where the widget needs no server. */
  constructor(
    private readonly state: Record<string, unknown>,
    private readonly answer?: (message: unknown) => Promise<{ state: Record<string, unknown>; messages: unknown[] }>
  ) {}

  get(name: string): unknown {
    return this.state[name];
  }

  on(event: string, heard: Heard): void {
    const known = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, known.add(heard));
  }

  off(event: string, heard: Heard): void {
    this.listeners.get(event)?.delete(heard);
  }

  /** A message of the widget; what it changes comes back as events. */
  send(message: unknown): void {
    void this.ask(message);
  }

  /** One after the other, as a kernel takes them: an answer that overtook another would leave an older state. */
  ask(message: unknown): Promise<void> {
    this.last = this.last.then(() => this.tell(message));
    return this.last;
  }

  private async tell(message: unknown): Promise<void> {
    if (!this.answer) {
      return;
    }
    try {
      const answer = await this.answer(message);
      for (const [name, value] of Object.entries(answer.state)) {
        this.state[name] = value;
        this.emit(`change:${name}`);
      }
      answer.messages.forEach(each => this.emit('msg:custom', each));
    } catch (error) {
      const id = (message as { id?: unknown }).id;
      this.emit('msg:custom', { re: id, error: wordsOf(error) });
    }
  }

  private emit(event: string, ...values: unknown[]): void {
    [...(this.listeners.get(event) ?? [])].forEach(heard => heard(...values));
  }
}
