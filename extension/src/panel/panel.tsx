import { Notification } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Drag } from '@lumino/dragdrop';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { OPEN_STORE } from '../browser/commands';
import { OPEN_RESULT, RUN_AGAIN, RUN_COMMAND } from '../command/commands';
import { isDoubtful, isUnconverged } from '../command/figures';
import { exerciseActions } from '../exercise/actions';
import { ExerciseModel } from '../exercise/model';
import { Exercises, type IExerciseActions } from '../exercise/section';
import { qcrboxIcon } from '../icons';
import { calculationCode, commandCode, datasetCode } from '../notebook/code';
import { insert } from '../notebook/insert';
import { notified } from '../notified';
import type { RegistryStore } from '../registry/store';
import type { IEvent } from '../registry/types';
import { word } from '../states';
import { OPEN_SESSION, START_SESSION } from '../session/commands';
import { Applications } from './applications';
import { Calculations } from './calculations';
import { askToCancel } from './cancelling';
import { ConnectionBar } from './connection';
import type { IPanelContext } from './context';
import { Datasets } from './datasets';
import { Everybody } from './everybody';
import { isLongAwaitedEnd } from './ending';
import { keepFiles, keepLabFiles } from './keeping';
import { renameCalculation } from './renaming';
import type { SectionName } from './section';
import { Sessions } from './sessions';
import { desktopOfBrowser, Telling } from './telling';

/** What Lab's file browser puts on a drag. */
const CONTENTS_MIME = 'application/x-jupyter-icontents';

/** The side panel: applications, datasets and calculations. */
export class QCrBoxPanel extends ReactWidget {
  private readonly context: IPanelContext;
  private readonly exercises: ExerciseModel;
  private readonly exerciseActions: IExerciseActions;
  private started = false;
  readonly telling = new Telling(desktopOfBrowser(), localStorage);

  constructor(
    private readonly store: RegistryStore,
    private readonly trans: TranslationBundle,
    private readonly contents: Contents.IManager,
    notebooks: INotebookTracker,
    commands: CommandRegistry
  ) {
    super();
    this.id = 'qcrbox-panel';
    this.title.icon = qcrboxIcon;
    this.title.caption = trans.__('QCrBox');
    this.addClass('qcrbox-Panel');
    store.happened.connect((_, event) => void this.tellEnd(event));
    this.exercises = new ExerciseModel(store);
    this.exerciseActions = exerciseActions(this.exercises, trans, commands);
    this.exercises.noted.connect((_, text) => Notification.info(text, { autoClose: false }));
    this.context = {
      store,
      trans,
      insertCommand: (application, command) => insert(commandCode(application, command), notebooks, trans),
      insertDataset: dataset => insert(datasetCode(dataset, store.datasets), notebooks, trans),
      insertResult: calculation => insert(calculationCode(calculation.calculation_id), notebooks, trans),
      cancel: calculation => askToCancel(store, calculation, trans),
      repeat: calculation => void commands.execute(RUN_AGAIN, { id: calculation.calculation_id }),
      rename: calculation => renameCalculation(store, calculation, trans),
      openSession: session => void commands.execute(OPEN_SESSION, { id: session.session_id }),
      startSession: (application, command) =>
        void commands.execute(START_SESSION, { application: application.slug, command: command.name }),
      chooseFiles: () => this.chooseFiles(),
      openStore: () => void commands.execute(OPEN_STORE),
      openResult: id => void commands.execute(OPEN_RESULT, { id }),
      runCommand: (application, command) =>
        void commands.execute(RUN_COMMAND, { application: application.slug, command: command.name }),
      runOn: dataset => void commands.execute(RUN_COMMAND, { input: dataset.qcrbox_dataset_id })
    };
  }

  /** Unfold a part of the panel, scroll to it and put the focus there. */
  async showSection(name: SectionName): Promise<void> {
    await this.store.start();
    await this.renderPromise;
    const title = this.node.querySelector<HTMLElement>(`[data-section="${name}"] .qcrbox-Section-title`);
    if (title?.getAttribute('aria-expanded') === 'false') {
      title.click();
    }
    title?.scrollIntoView({ block: 'start' });
    title?.focus();
  }

  /** Fetch an exercise into the person's files, open its notebook and show its tasks. */
  openExercise(id: string): void {
    this.exerciseActions.open(id);
  }

  protected render(): JSX.Element {
    return (
      <UseSignal signal={this.store.changed}>
        {() => (
          <>
            <ConnectionBar context={this.context} />
            {this.store.connection !== 'unconfigured' && (
              <div className="qcrbox-Panel-body">
                <Everybody context={this.context} />
                <Exercises model={this.exercises} trans={this.trans} actions={this.exerciseActions} />
                <Sessions context={this.context} />
                <Calculations context={this.context} />
                <Datasets context={this.context} />
                <Applications context={this.context} />
              </div>
            )}
          </>
        )}
      </UseSignal>
    );
  }

  /** Nothing is asked of the registry before somebody looks. */
  protected onBeforeShow(message: Message): void {
    super.onBeforeShow(message);
    if (!this.started) {
      this.started = true;
      void this.store.start().then(() => this.exercises.load().catch(() => undefined));
    }
  }

  /** Who waits long looks elsewhere: the end of such a calculation is told. */
  private async tellEnd(event: IEvent): Promise<void> {
    const { store, trans } = this;
    const known = store.calculations.find(each => each.calculation_id === event.id);
    if (!known || !event.status || !isLongAwaitedEnd(known, event, Date.now())) {
      return;
    }
    // With its verdict and warnings, which the list has not read yet.
    const ended = (await store.client.calculation(event.id).catch(() => undefined)) ?? known;
    const name = ended.title || ended.command_name;
    const doubt = isUnconverged(ended) ? trans.__('not converged') : isDoubtful(ended) && trans.__('with warnings');
    const state = word(event.status, event.step, trans);
    const words = trans.__('%1: %2', name, doubt ? `${state}, ${doubt}` : state);
    this.telling.tell(words);
    if (event.status === 'successful' && !doubt) {
      Notification.success(trans.__('%1 is done.', name), { autoClose: 8000 });
    } else {
      Notification.warning(words, { autoClose: false });
    }
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    for (const type of ['dragover', 'dragleave', 'drop', 'lm-dragenter', 'lm-dragover', 'lm-dragleave', 'lm-drop']) {
      this.node.addEventListener(type, this);
    }
  }

  protected onBeforeDetach(message: Message): void {
    for (const type of ['dragover', 'dragleave', 'drop', 'lm-dragenter', 'lm-dragover', 'lm-dragleave', 'lm-drop']) {
      this.node.removeEventListener(type, this);
    }
    super.onBeforeDetach(message);
  }

  handleEvent(event: Event): void {
    const over = event.type.endsWith('dragover') || event.type === 'lm-dragenter';
    this.toggleClass('qcrbox-mod-drop', over);
    if (event.type.startsWith('lm-')) {
      this.handleLabDrag(event as Drag.Event);
      return;
    }
    event.preventDefault();
    const files = (event as DragEvent).dataTransfer?.files;
    if (event.type === 'drop' && files?.length) {
      void this.keep(Array.from(files));
    }
  }

  private handleLabDrag(event: Drag.Event): void {
    if (!event.mimeData.hasData(CONTENTS_MIME)) {
      this.removeClass('qcrbox-mod-drop');
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    event.dropAction = 'copy';
    if (event.type === 'lm-drop') {
      const paths = event.mimeData.getData(CONTENTS_MIME) as string[];
      notified(keepLabFiles(this.store, this.contents, paths, this.trans));
    }
  }

  chooseFiles(): void {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = true;
    input.onchange = () => void this.keep(Array.from(input.files ?? []));
    input.click();
  }

  private async keep(files: File[]): Promise<void> {
    await keepFiles(this.store, files, this.trans);
  }
}
