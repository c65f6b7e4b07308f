/** The chart library, at the address where the server puts it: a browser finds no package by its name. */
import uPlot from "uplot";

export default uPlot;
