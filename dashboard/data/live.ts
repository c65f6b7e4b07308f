/**
 * What the page knows of the server at present, asked for anew each second while the page is to be seen. The first
 * question brings the samples of the last ten minutes, each further one only those that are new.
 */
import type {
  ConnectionsAnswer,
  Sample,
  SamplesAnswer,
  SlowAnswer,
  StatsAnswer,
  TreePicture,
} from "./admin-types.ts";
import { type Api, Problem } from "./api.ts";
import { addSamples } from "./sample-series.ts";

const INTERVAL_MS = 1000;
/** Lists that change slowly are asked for each so many rounds. */
const LISTS_EVERY = 3;

export type Link = "connecting" | "live" | "unreachable" | "locked" | "failing";

export interface Live {
  readonly link: Link;
  /** When the server last answered, by this machine's clock. */
  readonly answeredAt: number | undefined;
  /** What it said where `failing`. */
  readonly failure: string | undefined;
  readonly unreadiness: readonly string[];
  readonly samples: readonly Sample[];
  readonly stats: StatsAnswer | undefined;
  readonly tree: TreePicture | undefined;
  readonly slow: SlowAnswer | undefined;
  readonly connections: ConnectionsAnswer | undefined;
}

const NOTHING: Live = {
  link: "connecting",
  answeredAt: undefined,
  failure: undefined,
  unreadiness: [],
  samples: [],
  stats: undefined,
  tree: undefined,
  slow: undefined,
  connections: undefined,
};

export class LiveFeed {
  readonly #api: Api;
  readonly #onChange: (live: Live) => void;
  #live = NOTHING;
  #round = 0;
  #isAsking = false;

  constructor(api: Api, onChange: (live: Live) => void) {
    this.#api = api;
    this.#onChange = onChange;
  }

  start(): void {
    setInterval(() => this.askNow(), INTERVAL_MS);
    document.addEventListener("visibilitychange", () => this.askNow());
    this.askNow();
  }

  /** Rounds do not overlap: a slow server is not asked more than it answers. */
  askNow(): void {
    if (this.#isAsking || document.hidden) return;
    this.#isAsking = true;
    void this.#ask().finally(() => {
      this.#isAsking = false;
      this.#onChange(this.#live);
    });
  }

  async #ask(): Promise<void> {
    try {
      const news = await this.#news();
      this.#live = { ...this.#live, ...news, link: "live", answeredAt: Date.now() };
      this.#round++;
    } catch (error) {
      this.#live = { ...this.#live, ...linkAfter(error) };
      // After a silence, everything is asked for.
      this.#round = 0;
    }
  }

  async #news(): Promise<Partial<Live>> {
    const { samples } = this.#live;
    const after = samples.at(-1)?.time ?? 0;
    const wantsLists = this.#round % LISTS_EVERY === 0;
    const [added, stats, tree, unreadiness, slow, connections] = await Promise.all([
      this.#api.json<SamplesAnswer>(`/admin/samples/?after=${after}`),
      this.#api.json<StatsAnswer>("/admin/stats/"),
      this.#api.json<TreePicture>("/admin/tree/"),
      this.#api.unreadiness(),
      wantsLists ? this.#api.json<SlowAnswer>("/admin/slow/") : undefined,
      wantsLists ? this.#api.json<ConnectionsAnswer>("/admin/connections/") : undefined,
    ]);
    return {
      samples: addSamples(samples, added.samples),
      stats,
      tree,
      unreadiness,
      ...(slow === undefined ? {} : { slow }),
      ...(connections === undefined ? {} : { connections }),
    };
  }
}

function linkAfter(error: unknown): Pick<Live, "link" | "failure"> {
  if (!(error instanceof Problem)) return { link: "unreachable", failure: undefined };
  const link = error.status === 401 ? "locked" : "failing";
  return { link, failure: error.message };
}
