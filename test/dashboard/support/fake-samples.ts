/** Made-up seconds of a made-up server, with waves and noise as real ones have. */
import type { Sample } from "../../../dashboard/data/admin-types.ts";

const MIB = 1024 * 1024;

interface Source {
  random(): number;
  readonly activeBytes: number;
}

/** Of the second with this number, which alone decides on the waves. */
export function sampleOf(time: number, second: number, source: Source): Sample {
  const { random } = { random: () => source.random() };
  const wave = (period: number, shift = 0) => 0.5 + 0.5 * Math.sin(second / period + shift);
  const noise = () => 0.85 + random() * 0.3;
  const operation = (rate: number, p50: number) => ({
    rate: Math.round(rate * noise()),
    errors: 0,
    p50: Math.round(p50 * noise()),
    p99: Math.round(p50 * 6 * noise()),
    p999: Math.round(p50 * 30 * noise() * (1 + 2 * wave(9))),
  });
  const isBusy = wave(80) > 0.35;
  const delayed = wave(47) > 0.93 ? Math.round(random() * 60) : 0;
  const user = (2 + wave(60) * 6) * MIB * noise();
  return {
    time,
    operations: {
      get: operation(24_000 + 14_000 * wave(70), 42),
      put: operation(8_000 + 9_000 * wave(50, 1), 310),
      ...(isBusy ? { scan: operation(420 * wave(30), 900) } : {}),
      batch: operation(300 + 240 * wave(90, 2), 720),
      getMany: operation(1_900 + 1_400 * wave(41), 130),
      delete: operation(700 * wave(61) + 40, 280),
    },
    bytes_in: Math.round(user * 1.2),
    bytes_out: Math.round(user * 3),
    memory: {
      budget: 256 * MIB,
      memtables: Math.round(24 * MIB + source.activeBytes),
      tables: Math.round(31 * MIB * noise() ** 0.1),
      blocks: Math.round((118 + 20 * wave(110)) * MIB),
      ingest: 0,
      resident: 412 * MIB,
    },
    write_amplification: 4.4 + wave(120) * 2.2,
    space_amplification: 1.12 + wave(140) * 0.14,
    cache_hit_rate: 0.93 + wave(33) * 0.06,
    filter_hit_rate: isBusy ? 0.988 + random() * 0.01 : null,
    delays: {
      memtables: 0,
      level0: delayed,
      debt: Math.round(delayed / 3),
      delayed_ms: delayed * 2,
      refused: 0,
    },
    debt_bytes: delayed === 0 ? 0 : 48 * MIB,
    bytes_per_second: null,
    user_bytes: Math.round(user),
    log_bytes: Math.round(user * 1.06),
    flush_bytes: wave(7) > 0.8 ? Math.round(14 * MIB * noise()) : 0,
    compaction_bytes: Math.round(22 * MIB * wave(13) * noise()),
    syncs: Math.round(900 * noise()),
    loop_delay_p99_ms: 1.2 + random() * 2 + wave(25) * 3,
    connections: { tcp: 24, http: 3 },
  };
}
