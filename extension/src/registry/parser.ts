export interface IStreamEvent {
  id: string;
  data: string;
}

/** Takes the lines of a server-sent event stream, which end with CR, LF or both; answers the events that are complete. */
export class EventParser {
  private rest = '';
  private id = '';
  private data: string[] = [];

  feed(text: string): IStreamEvent[] {
    // A CR at the end may be the first half of a CR LF: its line waits for what follows.
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? '';
    const events: IStreamEvent[] = [];
    for (const line of lines) {
      if (line === '') {
        if (this.data.length > 0) {
          events.push({ id: this.id, data: this.data.join('\n') });
        }
        this.data = [];
      } else if (line.startsWith('data:')) {
        this.data.push(line.slice(5).replace(/^ /, ''));
      } else if (line.startsWith('id:')) {
        this.id = line.slice(3).trim();
      }
    }
    return events;
  }
}
