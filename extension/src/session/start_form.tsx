import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { commandPhrase } from '../command_name';
import type { IDataset, IParameter } from '../registry/types';
import { argumentsOf, choices, type IProgram, kindOf } from './arguments';

/** Program, files and options of a session to be started. */
export class StartForm extends ReactWidget {
  /** What the registry said to the last attempt. */
  problem = '';
  private chosen = 0;
  private filled: Record<string, string> = {};
  private group = '';

  constructor(
    private readonly programs: IProgram[],
    private readonly datasets: IDataset[],
    private readonly groups: string[],
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('qcrbox-StartForm');
    this.choose(
      Math.max(
        programs.findIndex(({ command }) => !command.missing),
        0
      )
    );
  }

  /** The same form for another dialog: a dialog disposes of the body it showed. */
  again(): StartForm {
    const form = new StartForm(this.programs, this.datasets, this.groups, this.trans);
    form.chosen = this.chosen;
    form.filled = this.filled;
    form.group = this.group;
    form.problem = this.problem;
    this.current = form;
    return form;
  }

  request(): Parameters<import('../registry/client').RegistryClient['startSession']>[0] {
    const { program, filled, group } = this.current;
    // What was filled in is kept for the next attempt.
    this.chosen = this.current.chosen;
    this.filled = filled;
    this.group = group;
    return {
      application_slug: program.application.slug,
      application_version: program.application.version,
      command_name: program.command.name,
      command_arguments: argumentsOf(program.command, filled),
      ...(group ? { group } : {})
    };
  }

  private current: StartForm = this;

  private get program(): IProgram {
    return this.programs[this.chosen] as IProgram;
  }

  private choose(index: number): void {
    this.chosen = index;
    this.filled = {};
    for (const [name, parameter] of Object.entries(this.program.command.parameters)) {
      const kind = kindOf(parameter);
      if (parameter.required && (kind === 'cif' || kind === 'file')) {
        this.filled[name] = choices(kind, this.datasets)[0]?.[0] ?? '';
      }
    }
  }

  protected render(): JSX.Element {
    const { trans } = this;
    const parameters = Object.entries(this.program.command.parameters).filter(
      ([, parameter]) => kindOf(parameter) !== 'output'
    );
    return (
      <>
        {this.problem && (
          <div className="qcrbox-Error" role="alert">
            {this.problem}
          </div>
        )}
        {this.programs.length > 1 && (
          <label>
            {trans.__('Program')}
            <select
              name="program"
              value={this.chosen}
              onChange={event => {
                this.choose(Number(event.target.value));
                this.update();
              }}
            >
              {this.programs.map(({ application, command }, index) => (
                <option key={index} value={index} disabled={Boolean(command.missing)} title={command.missing}>
                  {application.name} {application.version}, {commandPhrase(command)}
                  {command.missing && ` ${this.trans.__('(not installed)')}`}
                </option>
              ))}
            </select>
          </label>
        )}
        <p>{this.program.command.description}</p>
        {parameters.map(([name, parameter]) => this.field(name, parameter))}
        {this.groups.length > 0 && this.groupField()}
      </>
    );
  }

  private groupField(): JSX.Element {
    return (
      <label>
        {this.trans.__('Group')}
        <select
          name="group"
          value={this.group}
          onChange={event => {
            this.group = event.target.value;
            this.update();
          }}
        >
          <option value="">{this.trans.__('as its files')}</option>
          {this.groups.map(name => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <small>
          {this.trans.__(
            'Its members see what comes out; its managers may end the session, and look on when you allow it.'
          )}
        </small>
      </label>
    );
  }

  private field(name: string, parameter: IParameter): JSX.Element {
    const kind = kindOf(parameter);
    const set = (value: string) => {
      this.filled[name] = value;
      this.update();
    };
    const value = this.filled[name] ?? '';
    return (
      <label key={name} title={parameter.description ?? ''}>
        {name}
        {parameter.unit ? ` (${parameter.unit})` : ''}
        {kind === 'cif' || kind === 'file' || kind === 'boolean' ? (
          <select name={name} value={value} onChange={event => set(event.target.value)}>
            {(!parameter.required || kind === 'boolean') && <option value="">{this.trans.__('not given')}</option>}
            {this.options(kind).map(([id, label]) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </select>
        ) : (
          <input
            name={name}
            value={value}
            placeholder={String(parameter.default_value ?? '')}
            onChange={event => set(event.target.value)}
          />
        )}
        {parameter.description && <small>{parameter.description}</small>}
      </label>
    );
  }

  private options(kind: ReturnType<typeof kindOf>): [string, string][] {
    if (kind === 'boolean') {
      return [
        ['true', this.trans.__('yes')],
        ['false', this.trans.__('no')]
      ];
    }
    return choices(kind, this.datasets);
  }
}
