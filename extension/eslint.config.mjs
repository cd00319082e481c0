import js from '@eslint/js';
import hooks from 'eslint-plugin-react-hooks';
import typescript from 'typescript-eslint';

export default typescript.config(
  { ignores: ['lib/', 'node_modules/', 'qcrbox_extension/', 'src/registry/contract.ts'] },
  js.configs.recommended,
  ...typescript.configs.recommended,
  {
    plugins: { 'react-hooks': hooks },
    rules: {
      'react-hooks/rules-of-hooks': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-unused-expressions': ['error', { allowShortCircuit: true, allowTernary: true }]
    }
  },
  { files: ['**/*.mjs'], languageOptions: { globals: { URL: 'readonly', File: 'readonly', console: 'readonly' } } },
  {
    files: ['tests/**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          ...['Blob', 'Buffer', 'atob', 'clearTimeout', 'document', 'performance', 'queueMicrotask', 'setTimeout'],
          ...[
            'Event',
            'FocusEvent',
            'HTMLAnchorElement',
            'HTMLCanvasElement',
            'HTMLElement',
            'KeyboardEvent',
            'MouseEvent'
          ]
        ].map(name => [name, 'readonly'])
      )
    }
  }
);
