import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { RequestKey } from '../registry/request_key';
import type { RegistryStore } from '../registry/store';
import { StartForm } from './start_form';
import { type IProgram, programs } from './arguments';
import { wordsOf } from '../words_of';

/** Which program to offer; nothing given offers the first. */
interface IChoice {
  application?: string;
  command?: string;
}

/**
 * Ask what the program shall open, and start it. Answers the session's id, '' when the person thought better.
 *
 * What the registry refuses is said and asked again, with everything as it was filled in.
 */
export async function startSession(store: RegistryStore, trans: TranslationBundle, choice: IChoice): Promise<string> {
  await store.start();
  const offered = programs(store.applications).filter(each => fits(each, choice));
  if (offered.length === 0) {
    Notification.info(trans.__('No program with a window is registered here.'), { autoClose: 5000 });
    return '';
  }
  if (offered.every(({ command }) => command.missing)) {
    const texts = offered.map(({ application, command }) => `${application.name}: ${command.missing}`);
    Notification.warning(texts.join('\n'), { autoClose: false });
    return '';
  }
  const sending = new RequestKey();
  const form = new StartForm(offered, store.datasets, store.me?.groups ?? [], trans);
  for (;;) {
    const answer = await showDialog({
      title: trans.__('Open a program'),
      body: form.again(),
      buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Open') })]
    });
    if (!answer.button.accept) {
      return '';
    }
    try {
      const wanted = form.request();
      return await sending.send(wanted, key => store.client.startSession(wanted, key));
    } catch (error) {
      form.problem = wordsOf(error);
    }
  }
}

function fits({ application, command }: IProgram, choice: IChoice): boolean {
  return (
    (!choice.application || application.slug === choice.application) &&
    (!choice.command || command.name === choice.command)
  );
}
