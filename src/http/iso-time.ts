/**
 * ISO 8601 in UTC with milliseconds, as `Date.prototype.toISOString` writes it, which takes ten times as long: the date is
 * kept from one time to the next, as most of those that are told in a row are of one day.
 */
const DAY_MS = 86_400_000;
const TWO = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, "0"));

export class IsoTime {
  #day = 0;
  #date = "1970-01-01T";

  /** `ms` since 1970, as `Date` takes them. */
  of(ms: number): string {
    const day = Math.floor(ms / DAY_MS);
    if (day !== this.#day) {
      this.#date = new Date(day * DAY_MS).toISOString().slice(0, -"00:00:00.000Z".length);
      this.#day = day;
    }
    let rest = ms - day * DAY_MS;
    const millis = rest % 1000;
    rest = (rest - millis) / 1000;
    const seconds = rest % 60;
    rest = (rest - seconds) / 60;
    const minutes = rest % 60;
    const hours = (rest - minutes) / 60;
    const pad = millis < 10 ? "00" : millis < 100 ? "0" : "";
    return `${this.#date}${TWO[hours]}:${TWO[minutes]}:${TWO[seconds]}.${pad}${millis}Z`;
  }
}
