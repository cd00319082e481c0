import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { CommandName, commandPhrase } from '../command_name';
import { NotInstalled } from '../offers';
import type { RegistryStore } from '../registry/store';
import type { ICommand } from '../registry/types';
import { kindOf } from '../session/arguments';
import { Estimate } from './estimate';
import { Facts } from './facts';
import { meaningOf } from './fields';
import type { CommandModel } from './model';
import { PresetRow } from './preset_row';

export interface IFormActions {
  run(model: CommandModel): void;
  /** The form came to the front. */
  shown(): void;
  copy(code: string): void;
  insert(code: string): void;
  savePreset(model: CommandModel): void;
  deletePreset(model: CommandModel): void;
}

/** A command as a form: the same parameters as in a notebook, with the structure beside and the line of Python below. */
export class CommandForm extends ReactWidget {
  constructor(
    private readonly model: CommandModel,
    private readonly store: RegistryStore,
    private readonly actions: IFormActions,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('qcrbox-CommandForm');
  }

  /** What opens the same form again. */
  get args(): { application: string; command: string; values: Record<string, string> } {
    const { application, command, values } = this.model;
    return { application: application.slug, command: command.name, values };
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.actions.shown();
  }

  protected render(): JSX.Element {
    const { model, store } = this;
    return (
      <UseSignal signal={store.changed}>
        {() => <UseSignal signal={model.changed}>{() => this.form()}</UseSignal>}
      </UseSignal>
    );
  }

  private form(): JSX.Element {
    const { model, store, actions, trans } = this;
    const { input, problems } = model;
    const missing = Object.keys(problems).filter(name => problems[name] === 'needed');
    // As the registry knows it now: somebody may have installed it since the form was opened.
    const notInstalled = this.current?.missing ?? model.command.missing;
    const isFilled = Object.keys(problems).length === 0;
    const isReady = isFilled && !model.isSending && !notInstalled;
    const last = store.calculations.find(
      each =>
        each.command_name === model.command.name &&
        each.application_slug === model.application.slug &&
        each.status === 'successful'
    );
    const took = last && secondsOf(last.started_at, last.finished_at);
    return (
      <form
        aria-label={commandPhrase(model.command)}
        onSubmit={event => {
          event.preventDefault();
          if (isReady) {
            actions.run(model);
          }
        }}
      >
        <h2>
          <CommandName slug={model.application.slug} command={model.command} />{' '}
          <NotInstalled text={notInstalled} trans={trans} />
        </h2>
        <p>{model.command.description}</p>
        {notInstalled && (
          <div className="qcrbox-Error" role="alert">
            {notInstalled}
          </div>
        )}
        <div className="qcrbox-CommandForm-columns">
          <div className="qcrbox-CommandForm-fields">
            <PresetRow model={model} actions={actions} id={`${this.id}-preset`} trans={trans} />
            {model.names.map(name => this.field(name))}
          </div>
          {input && <Facts file={input.file} pictureUrl={store.client.pictureUrl(input.id)} trans={trans} />}
        </div>
        {model.refusal && (
          <div className="qcrbox-Error" role="alert">
            {model.refusal}
          </div>
        )}
        <div className="qcrbox-CommandForm-buttons">
          <button className="qcrbox-primary" type="submit" disabled={!isReady}>
            {trans.__('Run')}
          </button>
          <button type="button" className="qcrbox-small" disabled={!isFilled} onClick={() => actions.copy(model.code)}>
            {trans.__('Copy as code')}
          </button>
          <button
            type="button"
            className="qcrbox-small"
            disabled={!isFilled}
            onClick={() => actions.insert(model.code)}
          >
            {trans.__('Insert into notebook')}
          </button>
          <span role="status">
            {missing.length > 0 && trans.__('Still needed: %1', missing.join(', '))}
            {isReady && took && trans.__('The last run took %1.', took)}
          </span>
        </div>
        {model.estimateId && <Estimate id={model.estimateId} store={store} trans={trans} />}
        {model.estimateProblem && (
          <p role="status">{trans.__('No estimate of time and memory: %1', model.estimateProblem)}</p>
        )}
        {isFilled && <pre aria-label={trans.__('The same as Python')}>{model.code}</pre>}
      </form>
    );
  }

  private get current(): ICommand | undefined {
    return this.store.applications
      .find(each => each.id === this.model.application.id)
      ?.commands.find(each => each.name === this.model.command.name);
  }

  private field(name: string): JSX.Element {
    const { model, trans } = this;
    const parameter = model.parameter(name);
    const problem = model.problems[name] ?? '';
    const shown = problem && problem !== 'needed' ? problem : '';
    const id = `${this.id}-${name}`;
    return (
      <div className="qcrbox-CommandForm-field" key={name} data-parameter={name}>
        <label htmlFor={id}>{name.replace(/_/g, ' ')}</label>
        {this.control(name, id)}
        <small id={`${id}-about`}>
          {parameter.description} {meaningOf(parameter) && `(${meaningOf(parameter)})`}
          {shown && <span className="qcrbox-CommandForm-wrong"> {trans.__('This %1.', shown)}</span>}
        </small>
      </div>
    );
  }

  private control(name: string, id: string): JSX.Element {
    const { model, trans } = this;
    const parameter = model.parameter(name);
    const kind = kindOf(parameter);
    const set = (event: React.ChangeEvent<HTMLInputElement | HTMLSelectElement>) => model.set(name, event.target.value);
    const common = { id, name, value: model.value(name), onChange: set, 'aria-describedby': `${id}-about` };
    const unset = parameter.default_value ?? null;
    const empty = unset === null ? trans.__('not given') : trans.__('%1 (default)', plain(unset, trans));
    if (kind === 'cif' || kind === 'file') {
      return (
        <select {...common}>
          <option value="">{parameter.required ? trans.__('choose …') : this.absent(name)}</option>
          {model.choices(name).map(choice => (
            <option key={choice.id} value={choice.id}>
              {choice.label}
            </option>
          ))}
        </select>
      );
    }
    const choices = kind === 'boolean' ? ['true', 'false'] : parameter.valid_value?.choices?.map(String);
    if (choices) {
      return (
        <select {...common}>
          <option value="">{empty}</option>
          {choices.map(choice => (
            <option key={choice} value={choice}>
              {kind === 'boolean' ? plain(choice === 'true', trans) : choice}
            </option>
          ))}
        </select>
      );
    }
    return (
      <input
        {...common}
        placeholder={unset === null ? '' : String(unset)}
        inputMode={kind === 'number' ? 'decimal' : undefined}
      />
    );
  }

  /** What happens when a file is not given. */
  private absent(name: string): string {
    const { model, trans } = this;
    const patterns = model.parameter(name).companion ?? [];
    const beside = Object.keys(model.input?.dataset.data_files ?? {}).filter(filename =>
      patterns.some(pattern => filename.toLowerCase().endsWith(pattern.replace(/^\*/, '').toLowerCase()))
    );
    return beside.length === 1 ? trans.__('%1, beside the structure', beside[0] as string) : trans.__('not given');
  }
}

function plain(value: unknown, trans: TranslationBundle): string {
  return typeof value === 'boolean' ? (value ? trans.__('yes') : trans.__('no')) : String(value);
}

function secondsOf(from: string | null | undefined, to: string | null | undefined): string {
  const seconds = (Date.parse(to ?? '') - Date.parse(from ?? '')) / 1000;
  if (!Number.isFinite(seconds)) {
    return '';
  }
  return seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
}
