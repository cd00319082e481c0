import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { commandCall, commandPhrase } from './command_name';
import type { IApplication, ICommand } from './registry/types';
import { kindOf } from './session/arguments';

/** A command with its application. */
export interface IOffer {
  application: IApplication;
  command: ICommand;
}

/** Commands that a form can run on a structure; what can be run here comes first. */
export function structureCommands(applications: IApplication[]): IOffer[] {
  const all = applications.flatMap(application =>
    application.commands
      .filter(command => !command.interactive && Object.values(command.parameters).some(each => kindOf(each) === 'cif'))
      .map(command => ({ application, command }))
  );
  return [...all.filter(each => !each.command.missing), ...all.filter(each => each.command.missing)];
}

/** "Refine IAM · refine.refine_iam", and whether it can be run here. */
export function offerLabel({ application, command }: IOffer, trans: TranslationBundle): string {
  const label = `${commandPhrase(command)} · ${commandCall(application.slug, command.name)}`;
  return command.missing ? trans.__('%1 (not installed)', label) : label;
}

interface IStepChooser {
  label: string;
  /** On the button. */
  act: string;
  offers: IOffer[];
  /** "refine.refine_iam": chosen at first, else a plain refinement. */
  usual: string | null | undefined;
  start(offer: IOffer): void;
  trans: TranslationBundle;
}

/** A list of commands and the button that begins the chosen one: a list that acts by itself cannot be walked by keys. */
export function StepChooser({ label, act, offers, usual, start, trans }: IStepChooser): JSX.Element {
  const [picked, pick] = React.useState<string>();
  const keys = offers.map(({ application, command }) => `${application.slug}.${command.name}`);
  const wanted = [picked, usual, 'refine.refine_iam'].map(each => keys.indexOf(each ?? ''));
  const number = wanted.find(each => each >= 0) ?? 0;
  const offer = offers[number];
  return (
    <div className="qcrbox-Step">
      <label>
        {label}{' '}
        <select value={keys[number]} onChange={event => pick(event.target.value)}>
          {offers.map((each, place) => (
            <option
              key={keys[place]}
              value={keys[place]}
              disabled={Boolean(each.command.missing)}
              title={each.command.missing}
            >
              {offerLabel(each, trans)}
            </option>
          ))}
        </select>
      </label>{' '}
      <button
        className="qcrbox-small"
        disabled={!offer || Boolean(offer.command.missing)}
        onClick={() => offer && start(offer)}
      >
        {act}
      </button>
    </div>
  );
}

/** Says that something cannot be run here; the text is what an administrator can do. */
export function NotInstalled({ text, trans }: { text: string; trans: TranslationBundle }): JSX.Element | null {
  return text ? (
    <span className="qcrbox-Chip" title={text}>
      {trans.__('not installed')}
    </span>
  ) : null;
}
