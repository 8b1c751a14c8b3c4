package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify"
	"github.com/teiten/teiten/observe/metrics/embedded"
	"github.com/teiten/teiten/observe/metrics/pushed"
	"github.com/teiten/teiten/observe/metrics/receive"
	"github.com/teiten/teiten/observe/probe"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/respond/alert"
)

// Config is everything that is decided before the server starts. The comments
// become the reference in docs/reference/configuration.md.
type Config struct {
	// Listen is the address of the HTTP server. Anything but a loopback address
	// is reachable by others: put a reverse proxy with TLS before it.
	Listen string `json:"listen" doc:"The address of the HTTP server." ja:"HTTPサーバーのアドレス。"`
	// BaseURL is how people reach the server, for links in messages.
	BaseURL string `json:"baseURL" doc:"How people reach the server; links in messages begin with it. By default http:// and the address." ja:"利用者がアクセスするURL。メッセージ中のリンクの先頭になります。既定では http:// とアドレスから作ります。"`
	// Data is the folder of the database file and the metrics store.
	Data string `json:"data" doc:"The folder of everything that is stored." ja:"保存先のフォルダー。"`
	// Database is sqlite:path or postgres://…; by default a file in Data.
	Database string `json:"database" doc:"sqlite:path/to/file.db or postgres://user@host/name. By default a SQLite file in the data folder." ja:"sqlite:ファイルのパス または postgres://user@host/name。既定ではデータフォルダー内のSQLiteファイルです。" secret:"true"`
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix `json:"trustedProxies" doc:"Networks of reverse proxies whose X-Forwarded-For is believed." ja:"X-Forwarded-For を信用するリバースプロキシのネットワーク。"`
	// PublicMetrics serves /metrics without a token.
	PublicMetrics bool `json:"publicMetrics" doc:"Serve /metrics without a token. Otherwise it needs one with the scope metrics:read." ja:"/metrics をトークンなしで公開します。無効の場合は metrics:read のトークンが必要です。"`

	Log     LogConfig     `json:"log"`
	Metrics MetricsConfig `json:"metrics"`
	SLO     SLOConfig     `json:"slo"`
	Notify  NotifyConfig  `json:"notify"`
	Events  EventsConfig  `json:"events"`
	Probe   ProbeConfig   `json:"probe"`
	Alert   AlertConfig   `json:"alert"`

	file string // where it was read, "" for nowhere
}

// LogConfig says what is logged and how.
type LogConfig struct {
	Level  string `json:"level" doc:"debug, info, warn or error." ja:"debug、info、warn、error のいずれか。"`
	Format string `json:"format" doc:"text or json." ja:"text または json。"`
}

// MetricsConfig says where metrics come from.
type MetricsConfig struct {
	Embedded EmbeddedConfig `json:"embedded"`
	Plugins  []PluginConfig `json:"plugins" doc:"Programs that are asked for metrics, each with name, command (a list) and timeout. Only in the file: whoever may name one may run anything." ja:"メトリクスを問い合わせるプログラム。それぞれ name、command(リスト)、timeout を書きます。任意のコマンドを実行できるため、設定ファイルでのみ指定できます。"`
}

// PluginConfig is a program that is a data source.
type PluginConfig struct {
	Name    string   `json:"name"`
	Command []string `json:"command"`
	Timeout Duration `json:"timeout,omitempty"`
}

// EmbeddedConfig sets up the embedded Prometheus store.
type EmbeddedConfig struct {
	Enabled          bool          `json:"enabled" doc:"Keep metrics in an embedded Prometheus store." ja:"組み込みのPrometheusストアでメトリクスを保持します。"`
	ScrapeConfigFile string        `json:"scrapeConfigFile" doc:"A file with scrape_configs in Prometheus' own syntax. It is read again when it changes." ja:"Prometheusの書式で scrape_configs を書いたファイル。変更すると読み直されます。"`
	Retention        RetentionSpec `json:"retention"`
	Receive          ReceiveConfig `json:"receive"`
}

// ReceiveConfig says what is taken of those who send metrics.
type ReceiveConfig struct {
	Enabled    bool     `json:"enabled" doc:"Take metrics by Prometheus remote write (/api/v1/write) and OTLP (/api/v1/otlp/v1/metrics), from who has a token with the scope metrics:write." ja:"Prometheusリモートライト(/api/v1/write)とOTLP(/api/v1/otlp/v1/metrics)でメトリクスを受信します。スコープ metrics:write のトークンが必要です。"`
	OutOfOrder Duration `json:"outOfOrder" doc:"How much older than the newest a sample may be. The default is longer than the usual senders keep what they could not send." ja:"最新のサンプルよりどれだけ古いものまで受け付けるか。既定値は、一般的な送信元が未送信分を保持する時間より長くしてあります。"`
	MaxSeries  int      `json:"maxSeries" doc:"How many series the store may hold in memory, scraped ones included, before new ones that are sent are refused. Each takes about 8 KB." ja:"メモリに保持する系列数の上限(スクレイプ分を含む)。超えると、送られてきた新しい系列を受け付けません。1系列あたり約8KBです。"`
	MaxBody    int64    `json:"maxBody" doc:"How many bytes one request may have, once it is unpacked; at most 64 MB." ja:"1リクエストの上限(展開後のバイト数)。最大64MB。"`
	Promote    []string `json:"promoteResourceAttributes" doc:"Attributes of OTLP resources that become labels of every metric, such as deployment.environment.name. Others are in target_info." ja:"すべてのメトリクスのラベルにするOTLPリソース属性(例: deployment.environment.name)。それ以外は target_info に入ります。"`
}

// RetentionSpec bounds the embedded store.
type RetentionSpec struct {
	Time Duration `json:"time" doc:"How long samples are kept, such as 40d." ja:"サンプルの保持期間(例: 40d)。"`
	Size int64    `json:"size" doc:"How many bytes the samples may take; 0 for no limit." ja:"サンプルの最大バイト数。0は無制限。"`
}

// SLOConfig says how objectives are kept.
type SLOConfig struct {
	Settle    Duration     `json:"settle" doc:"How long after its end a minute is final, at most 1h. It is counted and alerted on half a minute after its end, and read again until then. An objective may say otherwise." ja:"終わった1分間の値が確定するまでの時間(最長1h)。値は30秒後に集計・通知の対象になり、確定するまで読み直されます。SLOごとに変えられます。"`
	Retention SLORetention `json:"retention"`
	Instances int          `json:"instances" doc:"How many instances of objectives that are taken apart by labels the server takes in all. Those beyond are part of the whole, but not counted on their own, and the objective says so." ja:"ラベルで分けたSLOのインスタンスを、サーバー全体でいくつまで扱うか。超えた分は全体には含まれますが個別には集計されず、そのことがSLOに表示されます。"`
}

// SLORetention is how finely the past of objectives is kept, and how long.
type SLORetention struct {
	Minutes Duration `json:"minutes" doc:"How long good and total events are kept by the minute, at least 40d. After that they are kept by the hour." ja:"イベント数を1分単位で保持する期間(40d 以上)。その後は1時間単位で保持します。"`
	Hours   Duration `json:"hours" doc:"How long they are kept by the hour. After that they are kept by the day, for good. Totals never change." ja:"1時間単位で保持する期間。その後は1日単位でずっと保持します。合計は変わりません。"`
}

// NotifyConfig says how messages leave.
type NotifyConfig struct {
	AllowNetworks []netip.Prefix `json:"allowNetworks" doc:"Loopback, private or link-local networks that messages may be sent to. None by default." ja:"送信を許可するループバック・プライベート・リンクローカルのネットワーク。既定ではありません。"`
	SMTP          SMTPConfig     `json:"smtp"`
	SMS           PhoneConfig    `json:"sms"`
	Voice         PhoneConfig    `json:"voice"`
	Twilio        TwilioConfig   `json:"twilio"`
	Heartbeat     string         `json:"heartbeat" doc:"An address that is posted to each minute while this server can page. An outside watcher that hears nothing pages by another way." ja:"呼び出しができる間、毎分POSTする外部監視サービスのアドレス。途絶えると、監視サービスが別の手段で知らせます。" secret:"true"`
	Retention     Duration       `json:"retention" doc:"How long a delivery that ended is kept with its message and attempts, at least 7d. What the journal says of it stays." ja:"完了した配信を、内容と試行の記録とともに保持する期間(7d 以上)。ジャーナルの記録は残ります。"`
}

// SMTPConfig is the relay for e-mail.
type SMTPConfig struct {
	Address  string `json:"address" doc:"host:port of the mail relay. Without it e-mail channels cannot deliver." ja:"メール中継サーバーの host:port。未設定ならメールは送れません。"`
	From     string `json:"from" doc:"The sender, such as Teiten <teiten@example.com>." ja:"差出人(例: Teiten <teiten@example.com>)。"`
	Username string `json:"username" doc:"The user name, where the relay asks for one." ja:"ユーザー名(必要な場合)。"`
	Password string `json:"password" doc:"The password, or ${env:NAME} or ${file:PATH}." ja:"パスワード、または ${env:NAME}、${file:PATH}。" secret:"true"`
	TLS      string `json:"tls" doc:"starttls, implicit, opportunistic or none." ja:"starttls、implicit、opportunistic、none のいずれか。"`
}

// PhoneConfig is a provider of short messages or calls that takes an HTTP POST.
type PhoneConfig struct {
	URL     string            `json:"url" doc:"Where each message is posted: a template over .To, .Text, .Key, .Link and .Language." ja:"メッセージの送信先。.To、.Text、.Key、.Link、.Language を使えるテンプレートです。"`
	Headers map[string]string `json:"headers" doc:"Headers of the request; values may be ${env:NAME} or ${file:PATH}. Only in the file." ja:"リクエストのヘッダー。値には ${env:NAME} や ${file:PATH} も書けます。設定ファイルでのみ指定できます。" secret:"true"`
	Body    string            `json:"body" doc:"The body, a template: {\"to\":{{json .To}},\"text\":{{json .Text}}}." ja:"本文のテンプレート(例: {\"to\":{{json .To}},\"text\":{{json .Text}}})。"`
	Type    string            `json:"type" doc:"The body's media type; application/json when empty." ja:"本文のメディアタイプ。空なら application/json。"`
}

// TwilioConfig is an account at Twilio, for short messages and calls.
type TwilioConfig struct {
	Account string `json:"account" doc:"The account SID." ja:"アカウントSID。"`
	Token   string `json:"token" doc:"The auth token, or ${env:NAME} or ${file:PATH}." ja:"認証トークン、または ${env:NAME}、${file:PATH}。" secret:"true"`
	From    string `json:"from" doc:"The number that sends and calls." ja:"発信元の電話番号。"`
	URL     string `json:"url" doc:"Of its API, where it is not Twilio's own." ja:"APIのアドレス(Twilio以外の場合)。"`
}

// EventsConfig is about events that are pushed.
type EventsConfig struct {
	LateDays int64 `json:"lateDays" doc:"How many days late a pushed event may be and still counts in its own minute." ja:"プッシュされたイベントを、何日前の分まで本来の時刻で数えるか。"`
}

// ProbeConfig is about the probes that the server itself runs.
type ProbeConfig struct {
	Enabled       bool           `json:"enabled" doc:"Run the probes of the location \"server\". Agents run theirs in any case." ja:"場所 server のプローブを実行します。エージェントは設定にかかわらず実行します。"`
	AllowNetworks []netip.Prefix `json:"allowNetworks" doc:"Networks that probes of the server may reach besides the public internet. Loopback and link-local addresses only where they are listed; a metadata service only where its very address is." ja:"公開インターネット以外に、サーバーのプローブから接続できるネットワーク。ループバックとリンクローカルは明記した場合だけ、メタデータサービスはそのアドレス自体を書いた場合だけ許可されます。"`
}

// AlertConfig is about alerts that are taken in.
type AlertConfig struct {
	Backlog   int64          `json:"backlog" doc:"How many messages may wait to be looked at. Beyond, senders are answered 429 and people are paged." ja:"処理待ちにできるメッセージの数。超えると送信元に429を返し、担当者を呼び出します。"`
	Forgotten Duration       `json:"forgotten" doc:"After how long an acknowledged alert that is still open pages again." ja:"確認されたまま終わらないアラートを、再び呼び出すまでの時間。"`
	Retention AlertRetention `json:"retention"`
}

// AlertRetention is how long what is over is kept.
type AlertRetention struct {
	Raw    Duration `json:"raw" doc:"How long messages are kept as they arrived, at least 1d." ja:"受け取ったメッセージをそのまま保持する期間(1d 以上)。"`
	Closed Duration `json:"closed" doc:"How long resolved alerts are kept, at least 7d. What the journal says of them stays." ja:"解消したアラートを保持する期間(7d 以上)。ジャーナルの記録は残ります。"`
}

// Duration is a time.Duration that is written as 90s, 15m, 12h or 40d.
type Duration time.Duration

// UnmarshalText reads a duration; a whole number of days may be written as 40d.
func (d *Duration) UnmarshalText(b []byte) error {
	s := string(b)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			*d = Duration(n) * Duration(24*time.Hour)
			return nil
		}
	}
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 {
		return fault.New(fault.Invalid, "config.duration", text.Say("%q is not a duration", "%q は時間の長さとして読めません", s)).
			Fix(text.Say("write 90s, 15m, 12h or 40d", "90s、15m、12h、40d のように書いてください"))
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) {
	v := time.Duration(d)
	if v > 0 && v%(24*time.Hour) == 0 {
		return fmt.Appendf(nil, "%dd", v/(24*time.Hour)), nil
	}
	return []byte(v.String()), nil
}

// DefaultConfig serves on loopback, with everything in the folder data.
func DefaultConfig() Config {
	return Config{
		Listen: "127.0.0.1:9469",
		Data:   "data",
		Log:    LogConfig{Level: "info", Format: "text"},
		Metrics: MetricsConfig{Embedded: EmbeddedConfig{
			Enabled: true, Retention: RetentionSpec{Time: Duration(40 * 24 * time.Hour)},
			Receive: ReceiveConfig{Enabled: true, OutOfOrder: Duration(embedded.DefaultOutOfOrder), MaxSeries: embedded.DefaultMaxSeries, MaxBody: receive.DefaultMaxBody},
		}},
		SLO: SLOConfig{Settle: Duration(2 * time.Minute), Retention: SLORetention{
			Minutes: Duration(slo.DefaultRetention.Minutes), Hours: Duration(slo.DefaultRetention.Hours),
		}, Instances: slo.DefaultInstances},
		Notify: NotifyConfig{SMTP: SMTPConfig{TLS: "starttls"}, Retention: Duration(notify.DefaultRetention)},
		Events: EventsConfig{LateDays: int64(pushed.DefaultLate / (24 * time.Hour))},
		Probe:  ProbeConfig{Enabled: true, AllowNetworks: probe.PrivateNetworks()},
		Alert: AlertConfig{Backlog: alert.DefaultBacklog, Forgotten: Duration(alert.DefaultForgotten),
			Retention: AlertRetention{Raw: Duration(alert.DefaultRawRetention), Closed: Duration(alert.DefaultClosedRetention)}},
	}
}

// LoadConfig returns the defaults, overlaid by the file where one is named, and
// by the environment: TEITEN_NOTIFY_SMTP_ADDRESS is notify.smtp.address. A
// mistake is an Invalid fault with its position.
func LoadConfig(file string, environ []string) (Config, error) {
	c := DefaultConfig()
	c.file = file
	if file != "" {
		body, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return c, fault.New(fault.NotFound, "config.file", text.Say("there is no file %s", "ファイル %s がありません", file))
		}
		if err != nil {
			return c, fmt.Errorf("read configuration: %w", err)
		}
		if err := ascode.DecodeFile(file, body, &c); err != nil {
			return c, err
		}
	}
	if err := overlay(&c, environ); err != nil {
		return c, err
	}
	return c, c.check()
}

// leastMinutes is how long minutes must be kept: longer than a month, so that the
// windows that most objectives have are exact to the minute.
const leastMinutes = 40 * 24 * time.Hour

// mostOutOfOrder is how late samples may come at most: each block of the store that
// they belong to is written again.
const mostOutOfOrder = 7 * 24 * time.Hour

// leastDeliveries is how long deliveries must be kept: longer than they are
// tried, so that people can look at what failed.
const leastDeliveries = 7 * 24 * time.Hour

// check finds what cannot work before anything is opened.
func (c *Config) check() error {
	var faults []*fault.Error
	wrong := func(field string, what, remedy text.Both) {
		faults = append(faults, fault.New(fault.Invalid, "config."+field, what).Fix(remedy).On(field))
	}
	c.checkRooms(wrong)
	c.checkPlugins(wrong)
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		wrong("listen", text.Say("listen: %q is not an address", "listen: %q はアドレスとして読めません", c.Listen),
			text.Say("write host:port, such as 127.0.0.1:9469", "127.0.0.1:9469 のように host:port の形で書いてください"))
	}
	if c.BaseURL != "" {
		if u, err := url.Parse(c.BaseURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			wrong("baseURL", text.Say("baseURL: %q is not a URL", "baseURL: %q はURLとして読めません", c.BaseURL),
				text.Say("write https://teiten.example.com", "https://teiten.example.com のように書いてください"))
		}
	}
	if _, ok := levels[c.Log.Level]; !ok {
		wrong("log.level", text.Say("log.level: %q is unknown", "log.level: %q は不明です", c.Log.Level), text.Say("use debug, info, warn or error", "debug、info、warn、error のいずれかにしてください"))
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		wrong("log.format", text.Say("log.format: %q is unknown", "log.format: %q は不明です", c.Log.Format), text.Say("use text or json", "text または json にしてください"))
	}
	if c.Data == "" {
		wrong("data", text.Say("data names no folder", "data にフォルダーが指定されていません"), text.Say("name a folder", "フォルダーを指定してください"))
	}
	return fault.Join(faults)
}

// checkRooms judges what is set for single rooms.
func (c *Config) checkRooms(wrong func(field string, what, remedy text.Both)) {
	if c.Alert.Backlog < 1000 {
		wrong("alert.backlog", text.Say("alert.backlog must be at least 1000", "alert.backlog は1000以上にしてください"), text.Say("200000 suits most", "通常は200000で十分です"))
	}
	if c.Alert.Forgotten < Duration(time.Minute) {
		wrong("alert.forgotten", text.Say("alert.forgotten must be at least 1m", "alert.forgotten は1m以上にしてください"), text.Say("4h suits most", "通常は4hで十分です"))
	}
	if c.Alert.Retention.Raw < Duration(24*time.Hour) {
		wrong("alert.retention.raw", text.Say("alert.retention.raw must be at least 1d", "alert.retention.raw は1d以上にしてください"), text.Say("30d suits most", "通常は30dで十分です"))
	}
	if c.Alert.Retention.Closed < Duration(7*24*time.Hour) {
		wrong("alert.retention.closed", text.Say("alert.retention.closed must be at least 7d", "alert.retention.closed は7d以上にしてください"), text.Say("400d suits most", "通常は400dで十分です"))
	}
	if c.Events.LateDays < 1 || c.Events.LateDays > 90 {
		wrong("events.lateDays", text.Say("events.lateDays must lie between 1 and 90", "events.lateDays は1から90の範囲で指定してください"), text.Say("7 suits most senders", "通常は7で十分です"))
	}
	if d := time.Duration(c.SLO.Settle); d <= 0 || d > time.Hour {
		wrong("slo.settle", text.Say("slo.settle: %s is not possible", "slo.settle: %s は指定できません", d), text.Say("choose more than nothing and at most 1h, such as 2m", "2m のように、0より長く1h以下にしてください"))
	}
	if r := c.Metrics.Embedded.Receive; time.Duration(r.OutOfOrder) < time.Minute || time.Duration(r.OutOfOrder) > mostOutOfOrder || r.MaxSeries < 1 || r.MaxBody < 1<<10 || r.MaxBody > 64<<20 {
		wrong("metrics.embedded.receive", text.Say("metrics.embedded.receive is out of bounds", "metrics.embedded.receive の値が範囲外です"),
			text.Say("outOfOrder lies between 1m and 7d, maxSeries is at least 1, and maxBody lies between 1024 and 67108864", "outOfOrder は 1m から 7d、maxSeries は1以上、maxBody は1024から67108864の範囲で指定してください"))
	}
	if c.SLO.Instances < 1 || c.SLO.Instances > 1_000_000 {
		wrong("slo.instances", text.Say("slo.instances must lie between 1 and 1000000", "slo.instances は1から1000000の範囲で指定してください"), text.Say("20000 suits most servers", "通常は20000で十分です"))
	}
	if r := c.SLO.Retention; time.Duration(r.Minutes) < leastMinutes || r.Hours < r.Minutes {
		wrong("slo.retention", text.Say("slo.retention keeps too little", "slo.retention の保持期間が短すぎます"),
			text.Say("keep minutes for at least 40d, and hours for at least as long as minutes", "minutes は 40d 以上、hours は minutes 以上にしてください"))
	}
	if time.Duration(c.Notify.Retention) < leastDeliveries {
		wrong("notify.retention", text.Say("notify.retention keeps too little", "notify.retention の保持期間が短すぎます"), text.Say("keep deliveries for at least 7d", "7d 以上にしてください"))
	}
}

func (c *Config) checkPlugins(wrong func(field string, what, remedy text.Both)) {
	for i, p := range c.Metrics.Plugins {
		taken := p.Name == "embedded" || p.Name == pushed.SourceName || slices.ContainsFunc(c.Metrics.Plugins[:i], func(o PluginConfig) bool { return o.Name == p.Name })
		if !pluginName.MatchString(p.Name) || taken || len(p.Command) == 0 {
			wrong("metrics.plugins", text.Say("metrics.plugins: entry %d has no free name or no command", "metrics.plugins: %d番目の項目に、使える name か command がありません", i+1),
				text.Say("write name: cloud and command: [/usr/local/bin/cloud-metrics]", "name: cloud と command: [/usr/local/bin/cloud-metrics] のように書いてください"))
		}
	}
}

var pluginName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// databaseAddress is where the database is.
func (c *Config) databaseAddress() string {
	if c.Database != "" {
		return c.Database
	}
	return "sqlite:" + filepath.Join(c.Data, "teiten.db")
}

// secrets says what references in documents may not name: everything that is
// the server's own.
func (c *Config) secrets() secret.Lookup {
	private := []string{c.Data, c.file, c.Metrics.Embedded.ScrapeConfigFile}
	if path, ok := strings.CutPrefix(c.databaseAddress(), "sqlite:"); ok {
		path = strings.TrimPrefix(path, "//")
		private = append(private, path, path+"-wal", path+"-shm")
	}
	return secret.Lookup{Private: private}
}

// baseURL is how people reach the server that listens on addr.
func (c *Config) baseURL(addr net.Addr) string {
	if c.BaseURL != "" {
		return strings.TrimRight(c.BaseURL, "/")
	}
	return "http://" + addr.String()
}

// withoutPassword is a database's address as it may be shown. One that cannot be
// read may hold a password anywhere.
func withoutPassword(address string) string {
	if address == "" || strings.HasPrefix(address, "sqlite:") {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		return secret.Hidden
	}
	q := u.Query()
	for name := range q {
		if strings.Contains(strings.ToLower(name), "password") {
			q.Set(name, secret.Hidden)
			u.RawQuery = q.Encode()
		}
	}
	return u.Redacted()
}

// Redacted is the configuration as it may be shown: without secrets.
func (c Config) Redacted() (json.RawMessage, error) {
	for _, hidden := range []*string{&c.Notify.SMTP.Password, &c.Notify.Twilio.Token, &c.Notify.Heartbeat, &c.Notify.SMS.URL, &c.Notify.Voice.URL} {
		if *hidden != "" {
			*hidden = ascode.Hidden
		}
	}
	for _, phone := range []*PhoneConfig{&c.Notify.SMS, &c.Notify.Voice} {
		shown := map[string]string{}
		for name := range phone.Headers {
			shown[name] = ascode.Hidden
		}
		phone.Headers = shown
	}
	c.Database = withoutPassword(c.Database)
	return json.MarshalIndent(c, "", "  ")
}
