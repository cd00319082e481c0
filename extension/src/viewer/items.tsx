import type { TranslationBundle } from '@jupyterlab/translation';
import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IBlock, IEntry, IRemark } from './client';
import type { Edits } from './edits';
import { Shown, useAsked } from './live';
import { type IPartProps, keyOf } from './parts';
import { wordsOf } from '../words_of';

export interface IItemsProps extends IPartProps {
  /** Changes that are not kept yet; undefined where the file cannot be changed. */
  edits?: Edits;
  /** Keep the changes. */
  keep?(bytes: Uint8Array): Promise<void>;
  keepLabel?: string;
}

/** The items of a CIF in sections; each value is changed on the spot, checked, undone, and kept together. */
export function Items(props: IItemsProps): JSX.Element {
  const { views, source, edits, trans } = props;
  const [wanted, find] = React.useState('');
  const asked = useAsked(() => views.part<{ blocks: IBlock[] }>('items', source), `items ${keyOf(source)}`);
  return (
    <Shown asked={asked} trans={trans}>
      {({ blocks }) => (
        <>
          <input
            type="search"
            className="qcrbox-Search"
            value={wanted}
            aria-label={trans.__('Find an item')}
            placeholder={trans.__('Find an item: name, meaning or value')}
            onChange={event => find(event.target.value)}
          />
          {edits ? (
            <UseSignal signal={edits.changed}>
              {() => (
                <>
                  <Kept {...props} edits={edits} />
                  <Blocks blocks={blocks} wanted={wanted} edits={edits} trans={trans} />
                </>
              )}
            </UseSignal>
          ) : (
            <Blocks blocks={blocks} wanted={wanted} trans={trans} />
          )}
        </>
      )}
    </Shown>
  );
}

/** The changes so far: what the dictionaries say of them, undo, and keeping them. */
function Kept({ views, source, edits, keep, keepLabel, trans }: IItemsProps & { edits: Edits }): JSX.Element | null {
  const [remarks, setRemarks] = React.useState<IRemark[]>([]);
  // Why the changes make no file, and why they could not be stored: after that one may try again.
  const [problem, setProblem] = React.useState('');
  const [failure, setFailure] = React.useState('');
  const [isStoring, setStoring] = React.useState(false);
  const region = React.useRef<HTMLDivElement>(null);
  const list = edits.list;
  const key = JSON.stringify(list);
  React.useEffect(() => {
    setFailure('');
    if (list.length === 0) {
      setRemarks([]);
      setProblem('');
      return;
    }
    let isGone = false;
    views.edited(source, list).then(
      answer => !isGone && (setRemarks(answer.remarks), setProblem('')),
      (error: unknown) => !isGone && setProblem(wordsOf(error))
    );
    return () => {
      isGone = true;
    };
  }, [key]);
  const store = async () => {
    const made = edits.made;
    setStoring(true);
    setFailure('');
    try {
      const { bytes } = await views.edited(source, list);
      await keep?.(bytes);
      // The buttons go with the changes: the focus stays in the part that they belong to.
      region.current?.closest<HTMLElement>('[role="tabpanel"]')?.focus();
      edits.clear(made);
    } catch (error) {
      setFailure(wordsOf(error));
    } finally {
      setStoring(false);
    }
  };
  if (list.length === 0 && !edits.canRedo) {
    return null;
  }
  return (
    <div ref={region} className="qcrbox-Kept" role="region" aria-label={trans.__('Changes')}>
      <div className="qcrbox-Detail-buttons">
        <button
          className="qcrbox-primary"
          disabled={list.length === 0 || !!problem || isStoring}
          onClick={() => void store()}
        >
          {keepLabel ?? trans.__('Keep the changes')}
        </button>
        <button className="qcrbox-small" disabled={!edits.last} onClick={() => edits.undo()}>
          {trans.__('Undo')}
        </button>
        <button className="qcrbox-small" disabled={!edits.canRedo} onClick={() => edits.redo()}>
          {trans.__('Redo')}
        </button>
        <span role="status">{trans._n('%1 item changed', '%1 items changed', list.length)}</span>
      </div>
      {(problem || failure) && (
        <div className="qcrbox-Error" role="alert">
          {problem || failure}
        </div>
      )}
      {remarks.map(remark => (
        <p className="qcrbox-Warning" key={remark.text}>
          ⚠ {remark.text}
        </p>
      ))}
    </div>
  );
}

interface IBlocksProps {
  blocks: IBlock[];
  wanted: string;
  edits?: Edits;
  trans: TranslationBundle;
}

function Blocks({ blocks, wanted, edits, trans }: IBlocksProps): JSX.Element {
  const word = wanted.trim();
  const isEmpty = !blocks.some(block => block.sections.some(each => each.entries.some(entry => isFound(entry, word))));
  return (
    <>
      {word && isEmpty && <p role="status">{trans.__('No item fits “%1”.', word)}</p>}
      {blocks.map(block => (
        <section key={block.name} aria-label={`data_${block.name}`}>
          <h3>data_{block.name}</h3>
          {block.sections.map(section => {
            const entries = section.entries.filter(entry => isFound(entry, word));
            return entries.length === 0 ? null : (
              <details key={section.heading} open={word !== '' || blocks.length === 1}>
                <summary>
                  {section.heading} ({entries.length})
                </summary>
                {entries.map(entry => (
                  <Entry key={entry.tag} block={block.name} entry={entry} edits={edits} trans={trans} />
                ))}
              </details>
            );
          })}
        </section>
      ))}
    </>
  );
}

/** Whether an entry has a word in its names, meaning or value. Names are found by either spelling: _cell.length_a too. */
export function isFound(entry: IEntry, wanted: string): boolean {
  const word = wanted.trim().toLowerCase();
  const text = [entry.tag, entry.words, entry.value, entry.read, ...(entry.tags ?? [])].join(' ').toLowerCase();
  return text.includes(word) || (word.startsWith('_') && classic(text).includes(classic(word)));
}

/** A name as CIF 1 writes it: with underscores throughout. */
function classic(name: string): string {
  return name.replaceAll('.', '_');
}

interface IEntryProps {
  block: string;
  entry: IEntry;
  edits?: Edits;
  trans: TranslationBundle;
}

function Entry({ block, entry, edits, trans }: IEntryProps): JSX.Element {
  const tags = entry.tags;
  if (tags) {
    const rows = entry.rows ?? [];
    return (
      <details className="qcrbox-Loop" open={rows.length <= 12}>
        <summary>
          loop_ {tags[0]} … {trans._n('%1 row', '%1 rows', entry.total ?? rows.length)}
        </summary>
        <div className="qcrbox-Table">
          <table>
            <thead>
              <tr>
                {tags.map(tag => (
                  <th key={tag} scope="col">
                    {tag}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row, number) => (
                <tr key={number}>
                  {row.map((cell, column) => (
                    <td key={column}>
                      <Value
                        block={block}
                        tag={tags[column] ?? ''}
                        row={number}
                        value={cell}
                        read={entry.texts?.[number]?.[column]}
                        edits={edits}
                        trans={trans}
                      />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          {(entry.total ?? 0) > rows.length && (
            <small>{trans.__('The first %1 of %2.', rows.length, entry.total ?? 0)}</small>
          )}
        </div>
      </details>
    );
  }
  return (
    <div className="qcrbox-Item">
      <span className="qcrbox-Item-tag" title={entry.words}>
        {entry.tag}
      </span>
      <span>
        <Value
          block={block}
          tag={entry.tag}
          value={entry.value ?? ''}
          read={entry.read}
          choices={entry.choices}
          edits={entry.cut ? undefined : edits}
          trans={trans}
        />
        {entry.unit && <small> {entry.unit}</small>}
      </span>
    </div>
  );
}

interface IValueProps {
  block: string;
  tag: string;
  row?: number;
  value: string;
  /** As a person reads it; a change is made in the text of the file. */
  read?: string;
  choices?: string[];
  edits?: Edits;
  trans: TranslationBundle;
}

/** A value; a click or Enter opens it for a change, Enter takes the change, Escape gives it up. */
function Value({ block, tag, row, value, read = value, choices, edits, trans }: IValueProps): JSX.Element {
  const [text, setText] = React.useState<string>();
  const opener = React.useRef<HTMLButtonElement>(null);
  // After Enter or Escape the field is gone: the focus goes back to the value that it stood for.
  const isLeftByKey = React.useRef(false);
  React.useEffect(() => {
    if (text === undefined && isLeftByKey.current) {
      isLeftByKey.current = false;
      opener.current?.focus();
    }
  }, [text]);
  const changed = edits?.valueOf(block, tag, row);
  const shown = changed ?? value;
  const words = changed ?? read;
  const raw = words === shown ? undefined : shown;
  if (!edits) {
    return (
      <span className="qcrbox-Item-value" title={raw}>
        {words}
      </span>
    );
  }
  const take = () => {
    if (text !== undefined && text !== shown) {
      edits.add({ block, tag, value: text, ...(row === undefined ? {} : { row }) });
    }
    setText(undefined);
  };
  if (text === undefined) {
    return (
      <button
        ref={opener}
        className={changed === undefined ? 'qcrbox-Item-value' : 'qcrbox-Item-value qcrbox-mod-changed'}
        aria-label={trans.__('Change %1: %2', tag, words)}
        title={raw}
        onClick={() => setText(shown)}
      >
        {words || '–'}
      </button>
    );
  }
  const isLong = shown.includes('\n');
  const common = {
    value: text,
    autoFocus: true,
    'aria-label': tag,
    onChange: (event: React.ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => setText(event.target.value),
    onBlur: take,
    onKeyDown: (event: React.KeyboardEvent) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        isLeftByKey.current = true;
        setText(undefined);
      } else if (event.key === 'Enter' && !isLong) {
        event.preventDefault();
        isLeftByKey.current = true;
        take();
      }
    }
  };
  const list = choices?.length ? `choices-${tag}` : undefined;
  return isLong ? (
    <textarea rows={Math.min(20, text.split('\n').length + 1)} cols={80} {...common} />
  ) : (
    <>
      <input list={list} size={Math.max(12, Math.min(60, text.length + 2))} {...common} />
      {list && (
        <datalist id={list}>
          {choices?.map(choice => (
            <option key={choice} value={choice} />
          ))}
        </datalist>
      )}
    </>
  );
}
