import { ISignal, Signal } from '@lumino/signaling';

import { datasetSource, pythonName } from '../notebook/code';
import type { IApplication, ICommand, IDataset } from '../registry/types';
import { argumentsOf, kindOf } from '../session/arguments';
import type { Presets } from './presets';
import { choicesOf, type IChoice, isNeeded, namesOf, problemOf } from './fields';

/** What a person filled in for one command: checked, as code, and as the registry takes it. */
export class CommandModel {
  readonly names: string[];
  /** The registry's answer to the last attempt. */
  refusal = '';
  isSending = false;
  /** The calculation that says what a run would cost, for the values as they are. */
  estimateId = '';
  /** Why no estimate could be asked for. */
  estimateProblem = '';
  /** Named sets of options, and the name of the one that was chosen last; '' after a change by hand. */
  presets: Presets = {};
  preset = '';
  private readonly filled: Record<string, string> = {};
  private readonly _changed = new Signal<this, void>(this);

  constructor(
    readonly application: IApplication,
    readonly command: ICommand,
    private readonly datasets: () => IDataset[],
    private readonly title: (dataset: IDataset) => string,
    input?: string,
    filled: Record<string, string> = {}
  ) {
    this.names = namesOf(command);
    for (const name of this.names) {
      const parameter = this.parameter(name);
      if (kindOf(parameter) === 'cif' && isNeeded(parameter)) {
        const choices = this.choices(name);
        const wanted = choices.find(each => each.id === input || each.dataset.qcrbox_dataset_id === input);
        this.filled[name] = (wanted ?? (input ? undefined : choices[0]))?.id ?? '';
        input = undefined; // of several structures, the first is the one that was chosen
      }
      this.filled[name] = filled[name] ?? this.filled[name] ?? '';
    }
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  parameter(name: string) {
    return this.command.parameters[name] ?? {};
  }

  value(name: string): string {
    return this.filled[name] ?? '';
  }

  set(name: string, value: string): void {
    this.filled[name] = value;
    this.preset = '';
    this.touched();
  }

  /** Remember the presets as they are stored now. */
  hold(presets: Presets, chosen = ''): void {
    this.presets = presets;
    this.preset = chosen in presets ? chosen : '';
    this._changed.emit();
  }

  /** Fill in a preset: every option that it does not name goes back to its default, files stay. */
  usePreset(name: string): void {
    const options = this.presets[name] ?? {};
    for (const option of this.names.filter(each => !this.isFile(each))) {
      this.filled[option] = option in options ? String(options[option]) : '';
    }
    this.preset = name;
    this.touched();
  }

  /** The content of a preset: what is filled in, without files. */
  get options(): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this.arguments).filter(([name]) => !this.isFile(name)));
  }

  private isFile(name: string): boolean {
    const kind = kindOf(this.parameter(name));
    return kind === 'cif' || kind === 'file';
  }

  private touched(): void {
    this.refusal = '';
    this.estimateId = '';
    this._changed.emit();
  }

  /** Remember the calculation of the estimate; values that change later make it void. */
  estimated(id: string): void {
    this.estimateId = id;
    this._changed.emit();
  }

  tell(state: { refusal?: string; isSending: boolean }): void {
    this.refusal = state.refusal ?? '';
    this.isSending = state.isSending;
    this._changed.emit();
  }

  choices(name: string): IChoice[] {
    return choicesOf(this.parameter(name), this.datasets(), this.title);
  }

  /** The chosen file of a parameter. */
  chosen(name: string): IChoice | undefined {
    return this.choices(name).find(each => each.id === this.value(name));
  }

  /** The structure that the command works on. */
  get input(): IChoice | undefined {
    const name = this.names.find(each => kindOf(this.parameter(each)) === 'cif');
    return name === undefined ? undefined : this.chosen(name);
  }

  /** What is filled in, for the same form after a reload. */
  get values(): Record<string, string> {
    return { ...this.filled };
  }

  /** Field → what is wrong with it. */
  get problems(): Record<string, string> {
    const found = this.names.map((name): [string, string] => [name, this.problemWith(name)]);
    return Object.fromEntries(found.filter(([, problem]) => problem));
  }

  private problemWith(name: string): string {
    const problem = problemOf(this.parameter(name), this.value(name));
    const isChosen = problem || !this.isFile(name) || !this.value(name).trim() || this.chosen(name);
    // Deleted since the form was filled in, for example before a reload.
    return isChosen ? problem : 'file is not among those that can be chosen here; choose another one';
  }

  get arguments(): Record<string, unknown> {
    return argumentsOf(this.command, this.filled);
  }

  /** The command of the same application that says what a run would cost. */
  get estimator(): ICommand | undefined {
    return this.application.commands?.find(each => each.name === this.command.estimate);
  }

  /** What both commands take, as filled in. */
  get estimateArguments(): Record<string, unknown> {
    const known = this.estimator?.parameters ?? {};
    return Object.fromEntries(Object.entries(this.arguments).filter(([name]) => name in known));
  }

  /** The line of Python that does the same. */
  get code(): string {
    const parts: string[] = [];
    for (const [name, value] of Object.entries(this.arguments)) {
      const choice = this.chosen(name);
      const text = choice ? this.fileCode(choice) : pythonValue(value);
      parts.push(choice && parts.length === 0 ? text : `${pythonName(name)}=${text}`);
    }
    const call = `qc.${pythonName(this.application.slug)}.${pythonName(this.command.name)}(${parts.join(', ')})`;
    return `import qcrbox as qc\n\ncalculation = ${call}\ncalculation`;
  }

  private fileCode({ dataset, file }: IChoice): string {
    const alike = Object.keys(dataset.data_files).filter(name => suffix(name) === suffix(file.filename));
    const isPlain = suffix(file.filename) === '.cif' && alike.length === 1;
    const source = datasetSource(dataset, this.datasets());
    return isPlain ? source : `${source}.files[${JSON.stringify(file.filename)}]`;
  }
}

function suffix(name: string): string {
  return name.slice(name.lastIndexOf('.')).toLowerCase();
}

function pythonValue(value: unknown): string {
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : JSON.stringify(value);
}
