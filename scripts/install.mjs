// Installs what package-lock.json names, unless that is what node_modules already holds. Runs before
// every npm script that needs packages, on whatever Node the machine has; the packages bring Node 24.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const installed = join(root, "node_modules", ".package-lock.json");
const wanted = join(root, "package-lock.json");

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(wanted).mtimeMs) {
  // `install`, not `ci`: a registry may lack some other platform's optional package, which `ci` takes for a
  // lock file out of date. Errors only, since the Node that runs this step is not the one that runs Varve.
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status } = spawnSync("npm", args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  process.exit(status ?? 1);
}
