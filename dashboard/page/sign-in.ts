/** Asks for a token where the server wants one. It is kept until the tab is closed, and sent to this server only. */
import type { Api } from "../data/api.ts";
import { byId, panel, setText } from "./dom.ts";

export class SignIn {
  readonly #form = byId("sign-in", HTMLFormElement);
  readonly #field = byId("token", HTMLInputElement);

  /** `onToken` is called when one was given. */
  listen(api: Api, onToken: () => void): void {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      api.setToken(this.#field.value.trim());
      this.#field.value = "";
      this.hide();
      onToken();
    });
  }

  show(wasRefused: boolean): void {
    setText(panel("sign-in-note"), wasRefused ? "That token was not accepted." : "");
    if (!this.#form.hidden) return;
    this.#form.hidden = false;
    this.#field.focus();
  }

  hide(): void {
    this.#form.hidden = true;
  }
}
