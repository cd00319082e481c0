import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

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

/** "Refine: refine_iam", and whether it can be run here. */
export function offerLabel({ application, command }: IOffer, trans: TranslationBundle): string {
  const label = `${application.name}: ${command.name}`;
  return command.missing ? trans.__('%1 (not installed)', label) : label;
}

/** Says that something cannot be run here; the text is what an administrator can do. */
export function NotInstalled({ text, trans }: { text: string; trans: TranslationBundle }): JSX.Element | null {
  return text ? (
    <span className="qcrbox-Chip" title={text}>
      {trans.__('not installed')}
    </span>
  ) : null;
}
