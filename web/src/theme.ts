import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

// One accent, "ai" (indigo leaning to teal). Everything else is grey, amber for
// what wants attention, and red for what needs a person now.
const ai: MantineColorsTuple = [
  "#ecf5f7", "#d8e9ed", "#b1d3dc", "#86bccb", "#62a9bc", "#479bb1", "#2b869e", "#1b6c82", "#125768", "#0a4351",
];

const ink: MantineColorsTuple = [
  "#dce5e8", "#c1ccd0", "#9dabb1", "#84949b", "#55666d", "#324047", "#26333a", "#182227", "#11191d", "#0c1316",
];

export const theme = createTheme({
  primaryColor: "ai",
  primaryShade: { light: 7, dark: 6 },
  colors: { ai, dark: ink },
  white: "#ffffff",
  black: "#172226",
  defaultRadius: "sm",
  cursorType: "pointer",
  focusRing: "auto",
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", "Hiragino Sans", "Noto Sans JP", "Noto Sans CJK JP", "Yu Gothic UI", Meiryo, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", Consolas, "DejaVu Sans Mono", "Noto Sans Mono CJK JP", monospace',
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.25rem" },
  headings: { fontWeight: "600", sizes: { h1: { fontSize: "1.375rem", lineHeight: "1.3" }, h2: { fontSize: "1rem" } } },
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: { "--mantine-color-dimmed": "var(--ink-2)", "--mantine-color-anchor": "var(--accent-text)", "--mantine-color-placeholder": "var(--ink-2)" },
  dark: { "--mantine-color-dimmed": "var(--ink-2)", "--mantine-color-anchor": "var(--accent-text)", "--mantine-color-placeholder": "var(--ink-2)" },
});
