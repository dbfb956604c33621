// Lets the search run where the site is opened from a folder: there browsers start no workers.
// A worker's script runs in a hidden frame instead, and messages go between frame and page.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      this.waiting = [];
      window.addEventListener("message", (event) => {
        if (event.source !== this.frame.contentWindow) return;
        this.dispatchEvent(new MessageEvent("message", { data: event.data }));
        if (this.onmessage) this.onmessage(event);
      });
      this.frame.contentWindow.document.write(
        "<script>" +
          "window.postMessage = (data) => parent.postMessage(data, '*');" +
          "window.importScripts = (...urls) => urls.reduce((before, url) => before.then(() =>" +
          "  new Promise((done) => { const script = document.createElement('script');" +
          "  script.src = url; script.onload = done; document.body.append(script); })" +
          "), Promise.resolve());" +
          "<\/script>" +
          `<script src="${url}"><\/script>`
      );
      this.frame.contentWindow.document.close();
      this.frame.onload = () => {
        this.loaded = true;
        for (const data of this.waiting) this.postMessage(data);
      };
    }

    postMessage(data) {
      if (!this.loaded) this.waiting.push(data);
      else this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
