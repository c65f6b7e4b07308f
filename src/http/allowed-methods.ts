/** Which methods there are at an address, for who asked with another one (RFC 9110, 15.5.6). */
import type { HttpApp } from "./http-app.ts";

const WILDCARD = "/*";

export class AllowedMethods {
  readonly #byPath = new Map<string, Set<string>>();

  /** Learns of all routes that are added to the app from here on. */
  constructor(app: HttpApp) {
    app.addHook("onRoute", ({ url, method }) => {
      const path = withoutSlash(url);
      const methods = this.#byPath.get(path) ?? new Set();
      for (const one of [method].flat()) methods.add(one);
      this.#byPath.set(path, methods);
    });
  }

  /** In the order of the alphabet; none where there is nothing. */
  at(url: string): string[] {
    const path = withoutSlash(url.split("?", 1)[0] ?? "");
    const found = [...this.#byPath].filter(([route]) => isAt(route, path));
    return [...new Set(found.flatMap(([, methods]) => [...methods]))].sort();
  }
}

function isAt(route: string, path: string): boolean {
  if (!route.endsWith(WILDCARD)) return route === path;
  return path.startsWith(route.slice(0, -1)) && path.length >= route.length;
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}
