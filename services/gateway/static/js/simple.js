// Pages with nothing live on them.
import { startShell } from "./shell.js";

startShell(() => location.assign("/"));
