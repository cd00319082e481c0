import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import { type ISignal, Signal } from '@lumino/signaling';
import * as React from 'react';

import type { ViewClient } from './client';
import { Edits } from './edits';
import { Items } from './items';
import { Shown, useAsked } from './live';
import {
  AlertsBesideStructure,
  FactList,
  keyOf,
  PlainText,
  Plots,
  type RefineEdited,
  Reflections,
  Structure,
  Tables
} from './parts';
import type { ISource } from './source';
import { type IAskedTab, type ITab, Tabs } from './tabs';

/** What happens with a file in its tab. */
export interface IFileActions {
  /** Keep changed bytes; undefined where the file cannot be changed. */
  keep?(bytes: Uint8Array): Promise<void>;
  keepLabel?: string;
  /** Refine the structure with edits. */
  refine?: RefineEdited;
  /** Buttons beside the name: what can be done with the file. */
  buttons: { label: string; run(): void }[];
}

/** A file of crystallography in a tab: structure, facts, items, data, alerts, table 1. */
export class FileView extends ReactWidget {
  private readonly edits = new Edits();
  private asked?: IAskedTab;
  private readonly _changed = new Signal<this, void>(this);

  constructor(
    private source_: ISource | undefined,
    private readonly views: ViewClient,
    private readonly actions: IFileActions,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('qcrbox-FileView');
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get source(): ISource | undefined {
    return this.source_;
  }

  /** Show other contents: the file was changed. */
  set source(source: ISource | undefined) {
    this.source_ = source;
    this._changed.emit();
  }

  /** Bring a tab to the front, as soon as the file has it. */
  showTab(name: string): void {
    this.asked = { name };
    this._changed.emit();
  }

  protected render(): JSX.Element {
    const { views, actions, trans, edits } = this;
    return (
      <UseSignal signal={this.changed}>
        {() =>
          this.source_ ? (
            <File
              source={this.source_}
              asked={this.asked}
              views={views}
              actions={actions}
              edits={edits}
              trans={trans}
            />
          ) : (
            <p role="status">{trans.__('Reading the file …')}</p>
          )
        }
      </UseSignal>
    );
  }
}

interface IFileProps {
  source: ISource;
  asked?: IAskedTab;
  views: ViewClient;
  actions: IFileActions;
  edits: Edits;
  trans: TranslationBundle;
}

function File(props: IFileProps): JSX.Element {
  const { source, views, actions, trans } = props;
  const asked = useAsked(
    () => views.part<{ parts: string[]; problem?: string }>('parts', source),
    `parts ${keyOf(source)}`
  );
  const [highlight, setHighlight] = React.useState<string[]>([]);
  // While a changed file is looked at, the tabs stay: the chosen one is not left.
  const [parts, setParts] = React.useState<string[]>();
  const found = asked.state === 'here' ? asked.value.parts : undefined;
  React.useEffect(() => {
    if (found) {
      setParts(found);
    }
  }, [found]);
  return (
    <>
      <div className="qcrbox-FileView-head">
        <h2>{source.name}</h2>
        {actions.buttons.map(({ label, run }) => (
          <button key={label} className="qcrbox-small" onClick={run}>
            {label}
          </button>
        ))}
      </div>
      {asked.state === 'here' && asked.value.problem && (
        <div className="qcrbox-Error" role="alert">
          {asked.value.problem}
        </div>
      )}
      {parts && asked.state !== 'fault' ? (
        <Tabs label={source.name} asked={props.asked} tabs={tabsOf(props, parts, highlight, setHighlight)} />
      ) : (
        <Shown asked={asked} trans={trans}>
          {() => null}
        </Shown>
      )}
    </>
  );
}

function tabsOf(
  { source, views, actions, edits, trans }: IFileProps,
  parts: string[],
  highlight: string[],
  setHighlight: (atoms: string[]) => void
): ITab[] {
  const common = { views, source, trans };
  const all: (ITab & { part: string })[] = [
    {
      part: 'structure',
      name: 'structure',
      label: trans.__('Structure'),
      content: () => (
        <div className="qcrbox-FileView-structure">
          <div>
            <Structure
              {...common}
              density={parts.includes('density') && parts.includes('items')}
              highlight={highlight}
              {...(actions.refine ? { refine: actions.refine } : {})}
            />
          </div>
          <FactList {...common} />
        </div>
      )
    },
    {
      part: 'reflections',
      name: 'reflections',
      label: trans.__('Reflections'),
      content: () => <Reflections {...common} />
    },
    {
      part: 'items',
      name: 'items',
      label: trans.__('CIF'),
      content: () => (
        <Items
          {...common}
          {...(actions.keep ? { edits, keep: actions.keep.bind(actions) } : {})}
          keepLabel={actions.keepLabel}
        />
      )
    },
    { part: 'plots', name: 'plots', label: trans.__('Data'), content: () => <Plots {...common} /> },
    {
      part: 'alerts',
      name: 'alerts',
      label: trans.__('Alerts'),
      content: () => <AlertsBesideStructure {...common} highlight={highlight} show={setHighlight} />
    },
    { part: 'table', name: 'table', label: trans.__('Table 1'), content: () => <Tables {...common} /> },
    { part: 'text', name: 'text', label: trans.__('Text'), content: () => <PlainText {...common} /> }
  ];
  return all.filter(tab => parts.includes(tab.part));
}
