import { Token } from '@lumino/coreutils';

import type { StoreDrive } from './drive';

export const IStoreDrive = new Token<StoreDrive>('@qcrbox/lab:IStoreDrive', 'The store as a drive of Lab.');
