// Questions to the kernel with an answer, and what happens when none comes.
const PATIENCE_MS = 8000;

export class Kernel {
  constructor(model) {
    this.model = model;
    this.waiting = new Map();
    this.next = 1;
    this.heard = (message) => {
      const asked = this.waiting.get(message.re);
      if (!asked) return;
      this.waiting.delete(message.re);
      clearTimeout(asked.timer);
      message.error ? asked.fail(new Error(message.error)) : asked.done(message);
    };
    model.on("msg:custom", this.heard);
  }

  tell(what) {
    this.model.send(what);
  }

  ask(what) {
    const id = this.next++;
    return new Promise((done, fail) => {
      const timer = setTimeout(() => {
        if (this.waiting.delete(id)) fail(new Error("The kernel does not answer; is it busy or gone?"));
      }, PATIENCE_MS);
      this.waiting.set(id, { done, fail, timer });
      this.model.send({ ...what, id });
    });
  }

  // Of a closed view: no answer comes any more, and nobody is told so.
  close() {
    for (const { timer } of this.waiting.values()) clearTimeout(timer);
    this.waiting.clear();
    this.model.off("msg:custom", this.heard);
  }
}
