import type { RegistryClient } from '../registry/client';
import type { CommandModel } from './model';
import { wordsOf } from '../words_of';

/** Name → options. */
export type Presets = Record<string, Record<string, string | number | boolean>>;

/** Presets of the command of a form, in the file of the person's home that notebooks use too. */
export class FormPresets {
  private readonly path: string;

  /** ask: a name from the person, given the one that is proposed; '' when it was given up. */
  constructor(
    private readonly client: Pick<RegistryClient, 'local'>,
    private readonly model: CommandModel,
    private readonly ask: (proposed: string) => Promise<string>
  ) {
    const { application, command } = model;
    this.path = `presets/${encodeURIComponent(application.slug)}/${encodeURIComponent(command.name)}`;
  }

  load(): Promise<void> {
    return this.hold({});
  }

  async save(): Promise<void> {
    const name = (await this.ask(this.model.preset)).trim();
    if (name) {
      await this.hold({ method: 'PUT', body: JSON.stringify({ name, options: this.model.options }) }, name);
    }
  }

  delete(): Promise<void> {
    return this.hold({ method: 'DELETE' }, '', `?name=${encodeURIComponent(this.model.preset)}`);
  }

  private async hold(init: RequestInit, chosen = '', query = ''): Promise<void> {
    try {
      this.model.hold(await this.client.local<Presets>(this.path + query, init), chosen);
    } catch (error) {
      this.model.tell({ isSending: false, refusal: wordsOf(error) });
    }
  }
}
