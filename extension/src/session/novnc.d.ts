/** The part of noVNC that is used here; the package brings no types. */
declare module '@novnc/novnc' {
  interface IChannel {
    binaryType: string;
    readonly protocol: string;
    readonly readyState: number | string;
    onopen: (() => void) | null;
    onmessage: ((event: { data: ArrayBuffer }) => void) | null;
    onerror: ((event: unknown) => void) | null;
    onclose: ((event: { code: number; reason: string }) => void) | null;
    send(data: Uint8Array): void;
    close(): void;
  }

  interface IEvents {
    connect: CustomEvent<Record<string, never>>;
    disconnect: CustomEvent<{ clean: boolean }>;
    clipboard: CustomEvent<{ text: string }>;
    desktopname: CustomEvent<{ name: string }>;
    securityfailure: CustomEvent<{ status: number; reason?: string }>;
  }

  export default class RFB {
    constructor(target: HTMLElement, channel: IChannel, options?: { shared?: boolean });
    background: string;
    clipViewport: boolean;
    focusOnClick: boolean;
    scaleViewport: boolean;
    viewOnly: boolean;
    qualityLevel: number;
    showDotCursor: boolean;
    addEventListener<K extends keyof IEvents>(type: K, listener: (event: IEvents[K]) => void): void;
    blur(): void;
    clipboardPasteFrom(text: string): void;
    disconnect(): void;
    focus(options?: FocusOptions): void;
    sendKey(keysym: number, code: string | null, down?: boolean): void;
    toBlob(callback: (blob: Blob | null) => void, type?: string): void;
  }
}
