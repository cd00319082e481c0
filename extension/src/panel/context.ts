import type { TranslationBundle } from '@jupyterlab/translation';

import type { RegistryStore } from '../registry/store';
import type { IApplication, ICalculation, ICommand, IDataset } from '../registry/types';

/** What the sections need: the data, the words, and what a click does. */
export interface IPanelContext {
  store: RegistryStore;
  trans: TranslationBundle;
  insertCommand(application: IApplication, command: ICommand): void;
  insertDataset(dataset: IDataset): void;
  insertResult(calculation: ICalculation): void;
  cancel(calculation: ICalculation): Promise<void>;
  chooseFiles(): void;
}
