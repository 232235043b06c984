/** A colour in both schemes: light, dark. */
type Token = readonly [light: string, dark: string];

/** The colours. Whatever is written on a ground keeps a contrast of at least 4.5 in both schemes; a test computes it. */
export const tokens: {
  readonly grounds: Readonly<Record<string, Token>>;
  readonly inks: Readonly<Record<string, Token>>;
  readonly lines: Readonly<Record<string, Token>>;
} = {
  grounds: {
    page: ["#f7f6f3", "#121316"],
    panel: ["#ffffff", "#191b1f"],
    raised: ["#f1efea", "#212429"],
    added: ["#e7f4ea", "#162a1e"],
    removed: ["#fceae7", "#331c1c"],
    chosen: ["#eaf0fd", "#1b2438"],
    caution: ["#fdf3dc", "#2e2614"],
  },
  inks: {
    ink: ["#1c1d21", "#e9e8e4"],
    soft: ["#5b5d65", "#a5a8b0"],
    accent: ["#2850b8", "#93b4ff"],
    good: ["#17683a", "#72cf95"],
    warn: ["#7c5200", "#e5b75c"],
    bad: ["#a8251c", "#ff968d"],
    string: ["#17663c", "#86cfa0"],
    number: ["#8a3d0c", "#eaa877"],
    word: ["#6b3fa0", "#c4a7f2"],
  },
  lines: {
    line: ["#e4e1da", "#2c2f35"],
    firm: ["#c9c5bb", "#42464e"],
    bar: ["#7f9de6", "#5673bd"],
  },
};
