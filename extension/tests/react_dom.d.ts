/** What the tests take of React DOM: Lab has its code, and brings no types of it. */
declare module 'react-dom/client' {
  export interface Root {
    render(node: import('react').ReactNode): void;
    unmount(): void;
  }
  export function createRoot(place: Element): Root;
}

declare module 'react-dom/server' {
  export function renderToStaticMarkup(node: import('react').ReactNode): string;
}
