import type { TranslationBundle } from '@jupyterlab/translation';

import type { RegistryStore } from '../registry/store';
import type { IApplication, ICalculation, ICommand, IDataset, ISession } from '../registry/types';

/** What the sections need: the data, the words, and what a click does. */
export interface IPanelContext {
  store: RegistryStore;
  trans: TranslationBundle;
  insertCommand(application: IApplication, command: ICommand): void;
  insertDataset(dataset: IDataset): void;
  insertResult(calculation: ICalculation): void;
  cancel(calculation: ICalculation): Promise<void>;
  /** The same call again. */
  repeat(calculation: ICalculation): void;
  rename(calculation: ICalculation): Promise<void>;
  openSession(session: ISession): void;
  startSession(application: IApplication, command: ICommand): void;
  chooseFiles(): void;
  openStore(): void;
  openResult(id: string): void;
  /** The form of a command, of an input where one is chosen. */
  runCommand(application: IApplication, command: ICommand): void;
  runOn(dataset: IDataset): void;
}
