import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { OPEN_RESULT, RUN_COMMAND } from '../command/commands';
import { notified } from '../notified';
import { START_SESSION } from '../session/commands';
import type { ExerciseModel } from './model';
import type { IExerciseActions } from './section';
import type { IReport, ITask } from './types';

/** Runs an action and shows its error. */
export function exerciseActions(
  model: ExerciseModel,
  trans: TranslationBundle,
  commands: CommandRegistry
): IExerciseActions {
  return {
    open: id =>
      notified(
        model.open(id).then(async report => {
          tellReport(report, trans);
          if (report.notebook) {
            await commands.execute('docmanager:open', { path: report.notebook });
          }
        })
      ),
    reset: id => notified(reset(model, id, trans)),
    submit: id =>
      notified(
        saveAll(commands)
          .then(() => model.submit(id))
          .then(receipt => {
            Notification.success(trans.__('Submitted. Receipt %1', receipt.receipt.slice(0, 12)));
          })
      ),
    answer: (id, task, value) => notified(model.answer(id, task, value)),
    run: (task, dataset) => notified(run(model, task, dataset, commands)),
    openResult: id => void commands.execute(OPEN_RESULT, { id })
  };
}

/** The form of the task's command on the data of the exercise; without a command of its own Lab asks for one. */
async function run(
  model: ExerciseModel,
  task: ITask,
  dataset: string | undefined,
  commands: CommandRegistry
): Promise<void> {
  const offer = model.offerOf(task);
  const named = offer ? { application: offer.application.slug, command: offer.command.name } : {};
  const isSession = offer?.command.implemented_as === 'interactive_session';
  await commands.execute(isSession ? START_SESSION : RUN_COMMAND, { ...named, ...(dataset && { input: dataset }) });
}

/** What is submitted is what was saved. */
async function saveAll(commands: CommandRegistry): Promise<void> {
  if (commands.hasCommand('docmanager:save-all')) {
    await commands.execute('docmanager:save-all');
  }
}

async function reset(model: ExerciseModel, id: string, trans: TranslationBundle): Promise<void> {
  const asked = await showDialog({
    title: trans.__('Reset the data of this exercise?'),
    body: trans.__(
      'The data files come back as they were handed out. Files you changed are kept under another name, your notebook stays.'
    ),
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Reset data') })],
    defaultButton: 0
  });
  if (asked.button.accept) {
    tellReport(await model.resetData(id), trans);
  }
}

function tellReport(report: IReport, trans: TranslationBundle): void {
  if (report.conflicts.length > 0) {
    Notification.warning(`${trans.__('Both versions were kept:')} ${report.conflicts.join('; ')}`, {
      autoClose: false
    });
  } else if (report.updated.length > 0) {
    Notification.info(`${trans.__('Updated by the lecturer:')} ${report.updated.join('; ')}`, { autoClose: 8000 });
  }
}
