package openslo

// Alerts says which of the alerts that every SLO has it wants: page, ticket, or
// none. Without it, it has all of them.
const Alerts = "teiten.dev/alerts"
