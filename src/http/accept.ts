/** Which kind of content to answer with, by `Accept` (RFC 9110, 12.5.1). */
import { VarveError } from "../errors.ts";

export const JSON_TYPE = "application/json";
export const BYTES_TYPE = "application/octet-stream";
export const LINES_TYPE = "application/x-ndjson";
export const EVENTS_TYPE = "text/event-stream";

/** The offer that is liked best, the first of those liked as much. Throws `NOT_ACCEPTABLE` where none is. */
export function chosenType<Offer extends string>(
  accept: string | undefined,
  offers: readonly [Offer, ...Offer[]],
): Offer {
  if (accept === undefined || accept === "*/*" || accept === offers[0]) return offers[0];
  const ranges = accept.toLowerCase().split(",").map(rangeOf);
  let best: Offer | undefined;
  let bestQuality = 0;
  for (const offer of offers) {
    const quality = qualityOf(offer, ranges);
    if (quality > bestQuality) {
      best = offer;
      bestQuality = quality;
    }
  }
  if (best !== undefined) return best;
  throw new VarveError("NOT_ACCEPTABLE", `what can be answered is ${offers.join(", or ")}`);
}

interface MediaRange {
  readonly type: string;
  readonly quality: number;
}

function rangeOf(text: string): MediaRange {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim());
  const given = parameters.find((parameter) => parameter.startsWith("q="));
  const quality = given === undefined ? 1 : Number(given.slice(2));
  return { type, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}

/** That of the range that fits most closely. */
function qualityOf(offer: string, ranges: readonly MediaRange[]): number {
  const [kind] = offer.split("/");
  for (const type of [offer, `${kind}/*`, "*/*"]) {
    const range = ranges.find((candidate) => candidate.type === type);
    if (range !== undefined) return range.quality;
  }
  return 0;
}
