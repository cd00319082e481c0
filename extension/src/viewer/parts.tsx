import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Quantity, SpaceGroup } from '../typeset';
import type { IAlerts, ITable, ViewClient } from './client';
import { Live, Shown, useAsked } from './live';
import type { LiveModel } from './live_model';
import { type ISource, queryOf } from './source';
import { wordsOf } from '../words_of';

export interface IPartProps {
  views: ViewClient;
  source: ISource;
  trans: TranslationBundle;
}

/** One answer per content of a file, not per object that describes it. */
export function keyOf(source: ISource): string {
  return source.bytes ? `${source.name}:${source.bytes.length}:${checksum(source.bytes)}` : queryOf(source);
}

function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) {
    sum = (sum * 31 + byte) | 0;
  }
  return sum;
}

/** Runs the next refinement of a structure with these edits, or opens its form; a promise that fails says why not. */
export type RefineEdited = (edits: string, form: boolean) => Promise<void>;

interface IStructureProps extends IPartProps {
  density: boolean;
  highlight?: string[];
  refine?: RefineEdited;
}

/** The structure to turn, grow, measure and edit; with the difference map where the file has calculated values. */
export function Structure({ views, source, density, highlight, refine, trans }: IStructureProps): JSX.Element {
  const [shown, show] = React.useState(false);
  const [refusal, setRefusal] = React.useState('');
  const place = React.useRef<HTMLDivElement>(null);
  const asked = useAsked(() => views.structure(source, refine !== undefined), keyOf(source));
  const model = asked.state === 'here' ? asked.value : undefined;
  const labels = highlight?.join(' ') ?? '';
  React.useEffect(() => {
    if (model && labels) {
      void model.ask({ do: 'highlight', labels: labels.split(' ') });
    }
  }, [model, labels]);
  const showDensity = (wanted: boolean) => {
    show(wanted);
    void model?.ask({ do: 'difference density', shown: wanted });
  };
  // Of the widget: editing began, which needs the peaks; the edits are to be refined.
  const began = React.useRef(() => {});
  began.current = () => density && !shown && showDensity(true);
  const wanted = React.useRef(refine);
  wanted.current = refine;
  React.useEffect(() => {
    const node = place.current;
    const begin = () => began.current();
    const run = (event: Event) => {
      const { edits, form } = (event as CustomEvent<{ edits: string; form: boolean }>).detail;
      setRefusal('');
      wanted.current?.(edits, form).catch((error: unknown) => setRefusal(wordsOf(error)));
    };
    node?.addEventListener('qcrbox-edit', begin);
    node?.addEventListener('qcrbox-refine', run);
    return () => {
      node?.removeEventListener('qcrbox-edit', begin);
      node?.removeEventListener('qcrbox-refine', run);
    };
  }, []);
  return (
    <div ref={place}>
      <Shown asked={asked} trans={trans}>
        {(here: LiveModel) => (
          <>
            {density && (
              <label className="qcrbox-Density">
                <input type="checkbox" checked={shown} onChange={event => showDensity(event.target.checked)} />{' '}
                {trans.__('Difference density Fo − Fc at ± 3 σ, with its peaks')}
              </label>
            )}
            {refusal && (
              <div className="qcrbox-Error" role="alert">
                {refusal}
              </div>
            )}
            <Live views={views} name="structure_view" model={here} trans={trans} />
          </>
        )}
      </Shown>
    </div>
  );
}

/** The plots that judge model and data; one at a time, each with its sentence. */
export function Plots({ views, source, trans }: IPartProps): JSX.Element {
  const [name, choose] = React.useState(source.name.endsWith('.fcf') ? 'fo_fc' : 'normal_probability');
  const list = useAsked(() => views.part<{ plots: [string, string][] }>('plots', source), `list ${keyOf(source)}`);
  const asked = useAsked(() => views.plot(name, source), `${name} ${keyOf(source)}`);
  return (
    <Shown asked={list} trans={trans}>
      {({ plots }) => (
        <>
          <label>
            {trans.__('Plot')}{' '}
            <select value={name} onChange={event => choose(event.target.value)}>
              {plots.map(([each, title]) => (
                <option key={each} value={each}>
                  {title}
                </option>
              ))}
            </select>
          </label>
          <Shown asked={asked} trans={trans}>
            {(model: LiveModel) => (
              <>
                <p>{String(model.get('alt') ?? '')}</p>
                <Live views={views} name="chart" model={model} trans={trans} />
              </>
            )}
          </Shown>
          <Outliers views={views} source={source} trans={trans} />
        </>
      )}
    </Shown>
  );
}

function Outliers({ views, source, trans }: IPartProps): JSX.Element | null {
  const asked = useAsked(() => views.part<ITable>('outliers', source), `outliers ${keyOf(source)}`);
  if (asked.state !== 'here') {
    return null; // a file without calculated values has none, and the plot has said so
  }
  return (
    <details>
      <summary>{trans.__('Worst fitting reflections')}</summary>
      <TextTable table={{ ...asked.value, title: '', caption: '' }} />
    </details>
  );
}

/** The alerts and the picture in which their atoms are shown. */
export function AlertsBesideStructure(
  props: IPartProps & { highlight: string[]; show: (atoms: string[]) => void }
): JSX.Element {
  const { highlight, show, ...common } = props;
  return (
    <div className="qcrbox-FileView-structure">
      <div>
        <Structure {...common} density={false} highlight={highlight} />
      </div>
      <div>
        <Alerts {...common} show={show} />
      </div>
    </div>
  );
}

/** Alerts of the local checks, grouped by level, each with its atoms shown in the picture. */
function Alerts(props: IPartProps & { show?: (atoms: string[]) => void }): JSX.Element {
  const { views, source, show, trans } = props;
  const asked = useAsked(() => views.part<IAlerts>('alerts', source), `alerts ${keyOf(source)}`);
  const words: Record<string, string> = {
    A: trans.__('serious'),
    B: trans.__('potentially serious'),
    C: trans.__('to check'),
    G: trans.__('to note')
  };
  return (
    <Shown asked={asked} trans={trans}>
      {({ alerts, not_run, notice }) => (
        <>
          <p>
            {['A', 'B', 'C', 'G']
              .map(level => `${level} (${words[level]}): ${alerts.filter(each => each.level === level).length}`)
              .join(' · ')}
          </p>
          <ul className="qcrbox-Alerts">
            {alerts.map((alert, number) => (
              <li key={number} data-level={alert.level}>
                <strong>{alert.level}</strong> {alert.text} <em>{alert.advice}</em>{' '}
                {alert.atoms.length > 0 && show && (
                  <button className="qcrbox-small" onClick={() => show(alert.atoms)}>
                    {trans.__('Show %1', shortened(alert.atoms))}
                  </button>
                )}
              </li>
            ))}
          </ul>
          <p>{notice}</p>
          {not_run.length > 0 && (
            <details>
              <summary>{trans.__('Checks that could not run (%1)', not_run.length)}</summary>
              <ul>
                {not_run.map(([name, why]) => (
                  <li key={name}>
                    {name}: {why}
                  </li>
                ))}
              </ul>
            </details>
          )}
        </>
      )}
    </Shown>
  );
}

function shortened(atoms: string[]): string {
  return atoms.length > 4 ? `${atoms.slice(0, 4).join(', ')} …` : atoms.join(', ');
}

/** Table 1 and the tables of geometry, to read and to save. */
export function Tables({ views, source, trans }: IPartProps): JSX.Element {
  const asked = useAsked(() => views.part<{ tables: ITable[] }>('table', source), `table ${keyOf(source)}`);
  return (
    <Shown asked={asked} trans={trans}>
      {({ tables }) => (
        <>
          <SaveReport views={views} source={source} trans={trans} />
          {tables.map((table, number) => (
            <details key={table.title} open={number === 0}>
              <summary>{table.title}</summary>
              <TextTable table={table} quantities={number === 0} />
            </details>
          ))}
        </>
      )}
    </Shown>
  );
}

function SaveReport({ views, source, trans }: IPartProps): JSX.Element {
  const [fault, setFault] = React.useState('');
  const kinds: [string, string][] = [
    ['docx', trans.__('Word')],
    ['tex', trans.__('LaTeX')],
    ['csv', trans.__('CSV')],
    ['html', trans.__('web page')]
  ];
  const save = (kind: string) => {
    setFault('');
    views
      .report(kind, source)
      .then(saveFile)
      .catch((error: unknown) => setFault(wordsOf(error)));
  };
  return (
    <div className="qcrbox-Detail-buttons" role="group" aria-label={trans.__('Save all tables')}>
      <span>{trans.__('Save all tables as')}</span>
      {kinds.map(([kind, label]) => (
        <button key={kind} className="qcrbox-small" onClick={() => save(kind)}>
          {label}
        </button>
      ))}
      {fault && (
        <div className="qcrbox-Error" role="alert">
          {fault}
        </div>
      )}
    </div>
  );
}

function saveFile(file: File): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** `quantities`: the first column names them, as in table 1. */
export function TextTable({ table, quantities }: { table: ITable; quantities?: boolean }): JSX.Element {
  const cellOf = (row: string[], cell: string, column: number) => {
    if (!quantities) {
      return cell;
    }
    return column === 0 ? <Quantity name={cell} /> : row[0] === 'Space group' ? <SpaceGroup symbol={cell} /> : cell;
  };
  return (
    <div className="qcrbox-Table">
      <table>
        <thead>
          <tr>
            {table.heads.map((head, number) => (
              <th key={number} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, number) => (
            <tr key={number}>
              {row.map((cell, column) => (
                <td key={column}>{cellOf(row, cell, column)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {table.caption && <small>{table.caption}</small>}
    </div>
  );
}

/** Reflections of a .hkl file: the first rows and how strong they are. */
export function Reflections({ views, source, trans }: IPartProps): JSX.Element {
  const asked = useAsked(
    () => views.part<ITable & { words: string; total: number }>('reflections', source),
    `reflections ${keyOf(source)}`
  );
  return (
    <Shown asked={asked} trans={trans}>
      {found => (
        <>
          <p>{found.words}</p>
          <TextTable
            table={{
              title: '',
              heads: found.heads,
              rows: found.rows,
              caption:
                found.total > found.rows.length ? trans.__('The first %1 of %2.', found.rows.length, found.total) : ''
            }}
          />
        </>
      )}
    </Shown>
  );
}

/** The main facts and what the reader remarked. */
export function FactList({ views, source, trans }: IPartProps): JSX.Element {
  const asked = useAsked(
    () => views.part<{ facts: [string, string][]; remarks: string[] }>('facts', source),
    `facts ${keyOf(source)}`
  );
  return (
    <Shown asked={asked} trans={trans}>
      {({ facts, remarks }) => (
        <>
          <dl className="qcrbox-FactList">
            {facts.map(([label, value]) => (
              <React.Fragment key={label}>
                <dt>
                  <Quantity name={label} />
                </dt>
                <dd>{label === 'space group' ? <SpaceGroup symbol={value} /> : value}</dd>
              </React.Fragment>
            ))}
          </dl>
          {remarks.map(remark => (
            <p className="qcrbox-Warning" key={remark}>
              ⚠ {remark}
            </p>
          ))}
        </>
      )}
    </Shown>
  );
}

/** The file as it is. */
export function PlainText({ views, source, trans }: IPartProps): JSX.Element {
  const asked = useAsked(() => views.part<{ text: string; whole: boolean }>('text', source), `text ${keyOf(source)}`);
  return (
    <Shown asked={asked} trans={trans}>
      {({ text, whole }) => (
        <>
          {!whole && <p>{trans.__('The beginning of the file.')}</p>}
          <pre className="qcrbox-PlainText">{text}</pre>
        </>
      )}
    </Shown>
  );
}
