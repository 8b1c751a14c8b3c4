import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { Crashed, NotFound } from "./app/Fallbacks";
import { Shell } from "./app/Shell";
import { parseActivitySearch, parseEditSearch, parseExploreSearch, parseOncallSearch, parseProbeSearch, parseProbesSearch, parseSearch, parseServiceSearch, parseSLOPageSearch, parseSLOSearch, stringifySearch } from "./app/urlState";
import { NowPage } from "./pages/now/NowPage";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });
const getParentRoute = () => root;

// The first page comes with the program; the others when they are walked to.
const routes = [
  createRoute({ getParentRoute, path: "/", component: NowPage }),
  createRoute({ getParentRoute, path: "/services", component: lazyRouteComponent(() => import("./pages/services/ServicesPage"), "ServicesPage"), validateSearch: parseServiceSearch }),
  createRoute({ getParentRoute, path: "/services/$name", component: lazyRouteComponent(() => import("./pages/services/ServicePage"), "ServicePage") }),
  createRoute({ getParentRoute, path: "/slos", component: lazyRouteComponent(() => import("./pages/slos/SLOsPage"), "SLOsPage"), validateSearch: parseSLOSearch }),
  createRoute({ getParentRoute, path: "/slos/$name", component: lazyRouteComponent(() => import("./pages/slos/SLOPage"), "SLOPage"), validateSearch: parseSLOPageSearch }),
  createRoute({ getParentRoute, path: "/probes", component: lazyRouteComponent(() => import("./pages/probes/ProbesPage"), "ProbesPage"), validateSearch: parseProbesSearch }),
  createRoute({ getParentRoute, path: "/probes/$name", component: lazyRouteComponent(() => import("./pages/probes/ProbePage"), "ProbePage"), validateSearch: parseProbeSearch }),
  createRoute({ getParentRoute, path: "/oncall", component: lazyRouteComponent(() => import("./pages/oncall/OncallPage"), "OncallPage") }),
  createRoute({ getParentRoute, path: "/oncall/$name", component: lazyRouteComponent(() => import("./pages/oncall/SchedulePage"), "SchedulePage"), validateSearch: parseOncallSearch }),
  createRoute({ getParentRoute, path: "/explore", component: lazyRouteComponent(() => import("./pages/explore/ExplorePage"), "ExplorePage"), validateSearch: parseExploreSearch }),
  createRoute({ getParentRoute, path: "/edit", component: lazyRouteComponent(() => import("./pages/edit/EditPage"), "EditPage"), validateSearch: parseEditSearch }),
  createRoute({ getParentRoute, path: "/activity", component: lazyRouteComponent(() => import("./pages/activity/ActivityPage"), "ActivityPage"), validateSearch: parseActivitySearch }),
  createRoute({
    getParentRoute,
    path: "/settings",
    beforeLoad: () => {
      throw redirect({ to: "/settings/$section", params: { section: "people" }, replace: true });
    },
  }),
  createRoute({ getParentRoute, path: "/settings/$section", component: lazyRouteComponent(() => import("./pages/settings/SettingsPage"), "SettingsPage") }),
] as const;

export const router = createRouter({
  routeTree: root.addChildren(routes),
  parseSearch: (text) => parseSearch(text),
  stringifySearch,
  defaultErrorComponent: Crashed,
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
