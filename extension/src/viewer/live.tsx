import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ViewClient } from './client';
import type { LiveModel } from './live_model';
import { wordsOf } from '../words_of';

interface ILiveProps {
  views: Pick<ViewClient, 'module'>;
  /** Of the widget's module. */
  name: string;
  model: LiveModel;
  trans: TranslationBundle;
}

/** One of the notebook's widgets in a tab: the same module, on a model of this page. */
export function Live({ views, name, model, trans }: ILiveProps): JSX.Element {
  const place = React.useRef<HTMLDivElement>(null);
  const [problem, setProblem] = React.useState('');
  React.useEffect(() => {
    let close: (() => void) | undefined;
    let isGone = false;
    const el = place.current;
    setProblem('');
    views
      .module(name)
      .then(module => {
        if (!isGone && el) {
          el.replaceChildren();
          close = module.default.render({ model, el });
        }
      })
      .catch((error: unknown) => setProblem(wordsOf(error)));
    return () => {
      isGone = true;
      close?.();
    };
  }, [views, name, model]);
  return (
    <>
      {problem && (
        <div className="qcrbox-Error" role="alert">
          {trans.__('This view cannot be loaded: %1. Reload the page.', problem)}
        </div>
      )}
      <div ref={place} className="qcrbox-Live" />
    </>
  );
}

/** What a part needs that is asked of the server: nothing yet, the answer, or the fault in words. */
export type Asked<T> = { state: 'waiting' } | { state: 'here'; value: T } | { state: 'fault'; text: string };

/** Ask once per `key`; an answer for an earlier key is thrown away. */
export function useAsked<T>(ask: () => Promise<T>, key: string): Asked<T> {
  const [asked, setAsked] = React.useState<{ key: string; answer: Asked<T> }>({
    key: '',
    answer: { state: 'waiting' }
  });
  const question = React.useRef(ask);
  question.current = ask;
  React.useEffect(() => {
    let isGone = false;
    const put = (answer: Asked<T>) => !isGone && setAsked({ key, answer });
    question.current().then(
      value => put({ state: 'here', value }),
      (error: unknown) => put({ state: 'fault', text: wordsOf(error) })
    );
    return () => {
      isGone = true;
    };
  }, [key]);
  return asked.key === key ? asked.answer : { state: 'waiting' };
}

/** Waiting and faults in words; the content where it is there. */
export function Shown<T>(props: {
  asked: Asked<T>;
  trans: TranslationBundle;
  children(value: T): React.ReactNode;
}): JSX.Element {
  const { asked, trans } = props;
  if (asked.state === 'waiting') {
    return <p role="status">{trans.__('Computing …')}</p>;
  }
  if (asked.state === 'fault') {
    return (
      <p className="qcrbox-Missing" role="status">
        {asked.text}
      </p>
    );
  }
  return <>{props.children(asked.value)}</>;
}
