/** A Varve server as a process of its own, on a free port, that can be killed without warning. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

const MAIN = join(import.meta.dirname, "..", "..", "src", "main.ts");

export interface ServerProcess {
  readonly pid: number;
  readonly url: string;
  readonly port: number;
  /** `undefined` where it serves no HTTP. */
  readonly httpPort: number | undefined;
  /** From starting the process to serving, in milliseconds. */
  readonly startMs: number;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

export interface LaunchedServer {
  /** Resolves when the server says that it serves; rejects, with what it said, if it ends before. */
  readonly serving: Promise<ServerProcess>;
  /** SIGKILL, whether it serves yet or not; resolves when the process is gone. */
  kill(): Promise<void>;
}

/**
 * Resolves when the server says that it serves; rejects, with what it said, if it ends before. HTTP is served where
 * `--http-port` is among the arguments.
 */
export function startServer(
  directory: string,
  args: readonly string[] = [],
): Promise<ServerProcess> {
  return launchServer(directory, args).serving;
}

/** Starts the program `main`, which takes the arguments of `varve serve` and says on which port it serves. */
export function launchServer(
  directory: string,
  args: readonly string[],
  main: string = MAIN,
): LaunchedServer {
  const startedMs = performance.now();
  const noHttp = main === MAIN && !args.includes("--http-port") ? ["--no-http"] : [];
  const given = ["--port", "0", "--data", directory, ...noHttp, ...args];
  const child = spawn(process.execPath, [main, ...given], { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  // A killed parent must not leave the server behind.
  const killChild = () => child.kill("SIGKILL");
  process.once("exit", killChild);
  void exited.then(() => process.off("exit", killChild));
  const kill = async () => {
    child.kill("SIGKILL");
    await exited;
  };
  const stop = async () => {
    child.kill("SIGTERM");
    const [code] = await exited;
    return code as number | null;
  };
  const serving = readPorts(child).then(({ port, httpPort }) => ({
    pid: child.pid ?? 0,
    url: `varve://127.0.0.1:${port}`,
    port,
    httpPort,
    startMs: performance.now() - startedMs,
    kill,
    stop,
  }));
  return { serving, kill };
}

interface Ports {
  readonly port: number;
  readonly httpPort: number | undefined;
}

async function readPorts(child: ChildProcess): Promise<Ports> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("the server's output is not piped");
  let said = "";
  stderr.on("data", (chunk) => {
    said += String(chunk);
  });
  const lines = createInterface({ input: stdout });
  for await (const line of lines) {
    const { port, httpPort } = JSON.parse(line) as Partial<Ports>;
    if (port === undefined) continue;
    // Whatever else it logs is read and dropped, so that the pipe never fills.
    stdout.resume();
    return { port, httpPort };
  }
  throw new Error(`the server ended before it served: ${said}`);
}
