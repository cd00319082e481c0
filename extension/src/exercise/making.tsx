import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { MakingModel } from './making_model';

/** The form in which a notebook becomes an exercise. page: the address of a page of the hub's courses. */
export class MakingForm extends ReactWidget {
  constructor(
    private readonly model: MakingModel,
    private readonly page: (...parts: string[]) => string,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('qcrbox-Making');
  }

  protected render(): JSX.Element {
    return (
      <UseSignal signal={this.model.changed}>
        {() => <Making model={this.model} page={this.page} trans={this.trans} />}
      </UseSignal>
    );
  }
}

interface IProps {
  model: MakingModel;
  page(...parts: string[]): string;
  trans: TranslationBundle;
}

function Making({ model, page, trans }: IProps): JSX.Element {
  if (!model.isLoaded) {
    return <p>{trans.__('Loading …')}</p>;
  }
  if (model.made) {
    return <Made model={model} page={page} trans={trans} />;
  }
  if (model.courses.length === 0) {
    return (
      <>
        {model.problem && <Problem words={model.problem} />}
        <p>
          {!model.problem && trans.__('You teach no course.')} <Link to={page()}>{trans.__('Courses')}</Link>
        </p>
      </>
    );
  }
  return <Form model={model} trans={trans} />;
}

function Form({ model, trans }: Omit<IProps, 'page'>): JSX.Element {
  const { fields } = model;
  const id = React.useId();
  return (
    <form
      onSubmit={event => {
        event.preventDefault();
        void model.make();
      }}
    >
      <h2>{trans.__('An exercise of %1', model.path)}</h2>
      <p>{trans.__('Cells with a tag task=name are its tasks. Tags that say what is right stay with you.')}</p>
      <label htmlFor={`${id}-course`}>{trans.__('Course')}</label>
      <select id={`${id}-course`} value={fields.course} onChange={event => model.set({ course: event.target.value })}>
        {model.courses.map(course => (
          <option key={course.id} value={course.id}>
            {course.title}
          </option>
        ))}
      </select>
      <label htmlFor={`${id}-title`}>{trans.__('Title')}</label>
      <input
        id={`${id}-title`}
        required
        maxLength={200}
        value={fields.title}
        onChange={event => model.set({ title: event.target.value })}
      />
      <label htmlFor={`${id}-text`}>{trans.__('What it is about (optional)')}</label>
      <textarea
        id={`${id}-text`}
        rows={3}
        maxLength={4000}
        value={fields.text}
        onChange={event => model.set({ text: event.target.value })}
      />
      <label htmlFor={`${id}-minutes`}>{trans.__('Minutes it takes (optional)')}</label>
      <input
        id={`${id}-minutes`}
        type="number"
        min={1}
        max={10000}
        value={fields.minutes}
        onChange={event => model.set({ minutes: event.target.value })}
      />
      <Data
        id={`${id}-data`}
        label={trans.__('Data for students')}
        model={model}
        chosen={fields.data}
        choose={data => model.set({ data })}
      />
      <Data
        id={`${id}-lecturers`}
        label={trans.__('Data for lecturers only')}
        model={model}
        chosen={fields.forLecturers}
        choose={forLecturers => model.set({ forLecturers })}
      />
      {model.problem && <Problem words={model.problem} />}
      <p>
        <button className="jp-mod-styled jp-mod-accept" type="submit" disabled={model.isSending}>
          {model.isSending ? trans.__('Making it …') : trans.__('Make the exercise')}
        </button>
      </p>
    </form>
  );
}

interface IData {
  id: string;
  label: string;
  model: MakingModel;
  chosen: string[];
  choose(ids: string[]): void;
}

function Data({ id, label, model, chosen, choose }: IData): JSX.Element {
  return (
    <>
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        multiple
        size={5}
        value={chosen}
        onChange={event => choose([...event.target.selectedOptions].map(option => option.value))}
      >
        {model.datasets.map(([dataset, title]) => (
          <option key={dataset} value={dataset}>
            {title}
          </option>
        ))}
      </select>
    </>
  );
}

function Made({ model, page, trans }: IProps): JSX.Element {
  const { made } = model;
  if (!made) {
    return <></>;
  }
  const { id, title, tasks } = made;
  const words = trans._n('%2 has %1 task.', '%2 has %1 tasks.', tasks, title);
  return (
    <div role="status">
      <p>
        {words} {trans.__('Students see it once you publish it.')}
      </p>
      <ul>
        <li>
          <Link to={page('exercises', id)}>{trans.__('Check it, set the dates, publish it')}</Link>
        </li>
        <li>
          <Link to={page('exercises', id, 'tasks')}>{trans.__('Edit the tasks in a form')}</Link>
        </li>
        <li>
          <Link to={page('exercises', id, 'preview')}>{trans.__('Preview as student')}</Link>
        </li>
      </ul>
    </div>
  );
}

function Problem({ words }: { words: string }): JSX.Element {
  return (
    <p role="alert" className="qcrbox-Error">
      {words}
    </p>
  );
}

function Link({ to, children }: { to: string; children: React.ReactNode }): JSX.Element {
  return (
    <a href={to} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}
