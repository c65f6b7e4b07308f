/** The page's start: its parts are made, and told whatever is new. */
import { CARDS } from "./charts/card-definitions.ts";
import { ChartCard } from "./charts/chart-card.ts";
import { LoadPanel } from "./charts/load-panel.ts";
import { MemoryBar } from "./charts/memory-bar.ts";
import { TimeCursor } from "./charts/time-cursor.ts";
import { Api } from "./data/api.ts";
import { type Live, LiveFeed } from "./data/live.ts";
import { KeyBrowser } from "./keys/browser.ts";
import { KvClient } from "./keys/kv-client.ts";
import { panel } from "./page/dom.ts";
import { showFigures } from "./page/figures.ts";
import { showConnections, showSlow } from "./page/lists.ts";
import { SignIn } from "./page/sign-in.ts";
import { showStatus } from "./page/status.ts";
import { enableTheme } from "./page/theme.ts";
import { enableTooltips } from "./page/tooltip.ts";
import { enableViews } from "./page/views.ts";
import { showTasks, TreeTable } from "./tree/tree-lists.ts";
import { TreePanel } from "./tree/tree-panel.ts";

const signIn = new SignIn();
const api = new Api((wasRefused) => signIn.show(wasRefused));
const cursor = new TimeCursor();
const load = new LoadPanel(cursor);
const cards = CARDS.map((definition) => new ChartCard(definition, cursor));
const tree = new TreePanel();
const treeTable = new TreeTable();
const keys = new KeyBrowser(new KvClient(api));

panel("cards").append(...cards.map(({ root }) => root));
const memoryCard = cards.find(({ root }) => root.dataset.card === "memory") ?? cards[0];
const memoryBar = memoryCard && new MemoryBar(memoryCard.extra);

function showMoment(): void {
  const { sample } = cursor;
  load.showSample(sample);
  memoryBar?.show(sample);
  for (const card of cards) card.showSample(sample);
}

function show(live: Live): void {
  showStatus(live);
  showSlow(live.slow);
  showConnections(live.connections);
  showFigures(live, live.samples.at(-1));
  if (live.stats !== undefined) {
    const { role, read_only } = live.stats.access;
    keys.setRights(role === "write" && !read_only);
  }
  // A tree that the server cannot tell of any more stands still.
  if (live.tree !== undefined && live.link === "live") {
    tree.update(live.tree);
    treeTable.update(live.tree);
    showTasks(live.tree);
  }
  if (live.samples.length === 0) return;
  document.body.classList.add("has-data");
  cursor.update(live.samples);
  load.update(live.samples);
  for (const card of cards) card.update(live.samples);
  showMoment();
}

const feed = new LiveFeed(api, show);
cursor.onChange(showMoment);
signIn.listen(api, () => {
  feed.askNow();
  if (!panel("view-keys").hidden) void keys.open();
});
enableTooltips(document.body);
enableViews(() => void keys.open());
enableTheme(() => {
  tree.recolor();
  load.rebuild();
  for (const card of cards) card.rebuild();
});
feed.start();
