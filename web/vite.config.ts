import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The server that "npm run dev" passes API requests to.
const server = process.env.TEITEN_SERVER ?? "http://127.0.0.1:9469";
const served = ["/api", "/setup", "/signin", "/signout", "/docs", "/openapi.json", "/schemas", "/healthz", "/readyz"];

export default defineConfig({
  plugins: [react()],
  // embed.go puts a fresh nonce here with every page it serves.
  html: { cspNonce: "__TEITEN_NONCE__" },
  build: {
    target: "es2022",
    emptyOutDir: false,
    // Fonts and pictures stay files: the content security policy allows no data: for scripts.
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules[\\/](react|react-dom|scheduler)[\\/]/ },
            { name: "mantine", test: /node_modules[\\/](@mantine|@floating-ui)[\\/]/ },
            // What one page alone needs comes with that page.
            { name: "editor", test: /node_modules[\\/](@codemirror|@lezer|@prometheus-io|@marijn|crelt|lru-cache|style-mod|w3c-keyname)[\\/]/ },
            { name: "chart", test: /node_modules[\\/]uplot[\\/]/ },
            { name: "vendor", test: /node_modules/ },
          ],
        },
      },
    },
  },
  server: { proxy: Object.fromEntries(served.map((path) => [path, server])) },
  test: { environment: "node", include: ["src/**/*.test.ts", "src/**/*.test.tsx"] },
});
