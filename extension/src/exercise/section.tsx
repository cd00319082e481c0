import { UseSignal } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Section } from '../panel/section';
import type { ExerciseModel } from './model';
import type { IExercise, IOwnExercise, ITask, ITaskProgress } from './types';
import { timeOf } from '../titles';
import { bandWords, dueMoment, dueWords, SHAPES, stateWord } from './words';

export interface IExerciseActions {
  open(id: string): void;
  reset(id: string): void;
  submit(id: string): void;
  answer(id: string, task: string, value: string): void;
  /** Open the form of the task's command. dataset: the data of the exercise. */
  run(task: ITask, dataset?: string): void;
  openResult(id: string): void;
}

interface IProps {
  model: ExerciseModel;
  trans: TranslationBundle;
  actions: IExerciseActions;
}

/** The exercises of the person's courses; of the open one its tasks, with forms for the answers. */
export function Exercises({ model, trans, actions }: IProps): JSX.Element {
  return (
    <UseSignal signal={model.changed}>
      {() =>
        model.exercises.length === 0 ? null : (
          <Section name="exercises" title={trans.__('Exercises')} count={model.exercises.length}>
            {model.own ? (
              <Own own={model.own} model={model} trans={trans} actions={actions} />
            ) : (
              <ul className="qcrbox-List">
                {model.exercises.map(exercise => (
                  <Row key={exercise.id} exercise={exercise} trans={trans} actions={actions} />
                ))}
              </ul>
            )}
          </Section>
        )
      }
    </UseSignal>
  );
}

function Row(props: { exercise: IExercise; trans: TranslationBundle; actions: IExerciseActions }): JSX.Element {
  const { exercise, trans, actions } = props;
  return (
    <li className="qcrbox-Row" data-exercise={exercise.id}>
      <span className="qcrbox-Row-name" title={exercise.course}>
        {exercise.title}
        <small className="qcrbox-Row-more" title={dueMoment(exercise)}>
          {' '}
          {dueWords(exercise, trans)}
        </small>
      </span>
      <button
        className="jp-mod-styled jp-mod-minimal"
        disabled={exercise.phase === 'not_open' && !exercise.may_try}
        onClick={() => actions.open(exercise.id)}
      >
        {exercise.opened_at ? trans.__('Go on') : trans.__('Begin')}
      </button>
    </li>
  );
}

function Own(props: { own: IOwnExercise } & IProps): JSX.Element {
  const { own, model, trans, actions } = props;
  const { exercise } = own;
  const isOver = (exercise.phase === 'closed' && !exercise.may_try) || exercise.archived;
  const last = own.snapshots[own.snapshots.length - 1];
  return (
    <div className="qcrbox-Exercise" data-exercise={exercise.id}>
      <div className="qcrbox-Exercise-head">
        <strong>{exercise.title}</strong>
        <button className="jp-mod-styled jp-mod-minimal" onClick={() => model.close()}>
          {trans.__('All exercises')}
        </button>
      </div>
      <p title={dueMoment(exercise)}>{dueWords(exercise, trans)}</p>
      {own.manifest?.text && <p className="qcrbox-Exercise-text">{own.manifest.text}</p>}
      {own.preview && (
        <p className="qcrbox-Exercise-note" role="note">
          {trans.__('Preview: this copy is on no board, is never collected and never marked.')}
        </p>
      )}
      {own.notes.map(note => (
        <p key={note.at} className="qcrbox-Exercise-note" role="note">
          {note.by}: {note.text}
        </p>
      ))}
      <ol className="qcrbox-Exercise-tasks">
        {own.manifest?.tasks.map((task, place) => (
          <Task
            key={task.id}
            task={task}
            found={own.tasks[place]}
            given={own.answers?.[task.id] ?? ''}
            isOver={isOver}
            trans={trans}
            answer={value => actions.answer(exercise.id, task.id, value)}
            run={() => actions.run(task, own.dataset_id ?? undefined)}
            openResult={actions.openResult}
          />
        ))}
      </ol>
      <div className="qcrbox-Exercise-acts">
        <button className="jp-mod-styled jp-mod-accept" disabled={isOver} onClick={() => actions.submit(exercise.id)}>
          {last?.reason === 'submitted' ? trans.__('Submit again') : trans.__('Submit')}
        </button>
        <button className="jp-mod-styled" onClick={() => actions.reset(exercise.id)}>
          {trans.__('Reset data')}
        </button>
      </div>
      {last && (
        <p role="status" className="qcrbox-Exercise-receipt" title={last.at}>
          {last.reason === 'submitted'
            ? trans.__('Submitted %1, receipt %2', timeOf(last.at), last.receipt.slice(0, 12))
            : trans.__('Collected %1, receipt %2', timeOf(last.at), last.receipt.slice(0, 12))}
          {last.late && ` (${trans.__('late')})`}
        </p>
      )}
      {own.feedback && (
        <div className="qcrbox-Exercise-feedback">
          <p>
            <strong>{trans.__('%1 of %2 points', String(own.feedback.points), String(own.feedback.most))}</strong>{' '}
            {own.feedback.comment}
          </p>
          <ul>
            {own.feedback.tasks.map(task => (
              <li key={task.task_id}>
                {task.title}: {task.points ?? '–'} / {task.most} {task.comment || task.words}
                {task.criteria && task.criteria.length > 0 && (
                  <ul>
                    {task.criteria.map(each => (
                      <li key={each.text}>
                        {each.met ? trans.__('met') : trans.__('not met')}: {each.text} ({each.points})
                      </li>
                    ))}
                  </ul>
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

interface ITaskProps {
  task: ITask;
  found: ITaskProgress | undefined;
  given: string;
  isOver: boolean;
  trans: TranslationBundle;
  answer(value: string): void;
  run(): void;
  openResult(id: string): void;
}

function Task({ task, found, given, isOver, trans, answer, run, openResult }: ITaskProps): JSX.Element {
  const state = found?.state ?? 'not_begun';
  const id = React.useId();
  const calculation = found?.calculation_id;
  return (
    <li data-task={task.id} data-state={state}>
      <span id={`${id}-title`}>{task.title}</span>{' '}
      <span className={`qcrbox-Exercise-state qcrbox-mod-${state}`}>
        <span aria-hidden="true">{SHAPES[state]}</span> {stateWord(state, trans)}
      </span>
      {task.text && <p className="qcrbox-Exercise-text">{task.text}</p>}
      {bandWords(task, trans) && <div className="qcrbox-Exercise-band">{bandWords(task, trans)}</div>}
      {found?.words && <div className="qcrbox-Exercise-words">{found.words}</div>}
      {task.kind === 'calculation' && (
        <button
          className="jp-mod-styled jp-mod-minimal"
          disabled={isOver}
          aria-label={trans.__('Open the form: %1', task.title)}
          onClick={run}
        >
          {trans.__('Open the form')}
        </button>
      )}
      {calculation && (
        <button
          className="jp-mod-styled jp-mod-minimal"
          aria-label={trans.__('Show the result: %1', task.title)}
          onClick={() => openResult(calculation)}
        >
          {trans.__('Show the result')}
        </button>
      )}
      {task.kind !== 'calculation' && (
        <AnswerForm
          task={task}
          given={given}
          isOver={isOver}
          trans={trans}
          answer={answer}
          labelledBy={`${id}-title`}
        />
      )}
      {found?.hint && state !== 'done' && (
        <details>
          <summary>{trans.__('Hint')}</summary>
          {found.hint}
        </details>
      )}
    </li>
  );
}

interface IFormProps {
  task: ITask;
  given: string;
  isOver: boolean;
  trans: TranslationBundle;
  labelledBy: string;
  answer(value: string): void;
}

function AnswerForm({ task, given, isOver, trans, labelledBy, answer }: IFormProps): JSX.Element {
  const [value, setValue] = React.useState(given);
  React.useEffect(() => setValue(given), [given]);
  const common = { disabled: isOver, value, 'aria-labelledby': labelledBy };
  return (
    <form
      className="qcrbox-Exercise-answer"
      onSubmit={event => {
        event.preventDefault();
        answer(value);
      }}
    >
      {task.choices.length > 0 ? (
        <select className="jp-mod-styled" {...common} onChange={event => setValue(event.target.value)}>
          <option value="">{trans.__('Choose …')}</option>
          {task.choices.map(choice => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : task.kind === 'value' ? (
        <input
          className="jp-mod-styled"
          inputMode="decimal"
          {...common}
          onChange={event => setValue(event.target.value)}
        />
      ) : (
        <textarea className="jp-mod-styled" rows={2} {...common} onChange={event => setValue(event.target.value)} />
      )}
      {task.unit && <span> {task.unit}</span>}
      <button className="jp-mod-styled" type="submit" disabled={isOver || value === given}>
        {trans.__('Answer')}
      </button>
    </form>
  );
}
