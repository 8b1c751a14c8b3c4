package promexpr

import (
	"regexp"

	"github.com/teiten/teiten/kit/text"
)

// explanations say in Japanese what the parser says in English, for the errors
// that people make. The formats take the groups of the pattern in order. What is
// not listed is shown as the parser wrote it.
var explanations = []struct {
	pattern *regexp.Regexp
	ja      string
}{
	{regexp.MustCompile(`^no expression found in input$`), "式がありません"},
	{regexp.MustCompile(`^unexpected end of input$`), "式が途中で終わっています"},
	{regexp.MustCompile(`^unexpected end of input in (.+?)(?:, expected .*)?$`), "式が途中で終わっています（%s の中）"},
	{regexp.MustCompile(`^unexpected (.+?) in (.+), expected (.+)$`), "%[2]sの中に予期しない %[1]s があります（%[3]s が必要です）"},
	{regexp.MustCompile(`^unexpected (.+?) in (.+)$`), "%[2]sの中に予期しない %[1]s があります"},
	{regexp.MustCompile(`^unexpected (.+)$`), "予期しない %s があります"},
	{regexp.MustCompile(`^unclosed left parenthesis$`), "開いた括弧 ( が閉じられていません"},
	{regexp.MustCompile(`^unclosed left bracket$`), "開いた括弧 [ が閉じられていません"},
	{regexp.MustCompile(`^unterminated (?:quoted|raw) string$`), "文字列の引用符が閉じられていません"},
	{regexp.MustCompile(`^unknown function with name "(.*)"$`), "関数 %s はありません"},
	{regexp.MustCompile(`^expected type (.+) in (.+), got (.+)$`), "%[2]sには %[1]s が必要ですが、%[3]s が渡されています"},
	{regexp.MustCompile(`^expected (\d+) argument\(s\) in call to "(.*)", got (\d+)$`), "関数 %[2]s の引数は%[1]s個ですが、%[3]s個渡されています"},
	{regexp.MustCompile(`^expected at least (\d+) argument\(s\) in call to "(.*)", got (\d+)$`), "関数 %[2]s の引数は%[1]s個以上必要ですが、%[3]s個しかありません"},
	{regexp.MustCompile(`^expected at most (\d+) argument\(s\) in call to "(.*)", got (\d+)$`), "関数 %[2]s の引数は%[1]s個以下ですが、%[3]s個渡されています"},
	{regexp.MustCompile(`^bad number or duration syntax: (.*)$`), "数値または期間の書き方が誤っています: %s"},
	{regexp.MustCompile(`^vector selector must contain at least one non-empty matcher$`), "セレクターには空でない条件が少なくとも1つ必要です"},
	{regexp.MustCompile(`^comparisons between scalars must use BOOL modifier$`), "スカラー同士の比較には bool 修飾子が必要です"},
	{regexp.MustCompile(`^duration must be greater than 0$`), "期間は0より大きくしてください"},
	{regexp.MustCompile(`^(?:no|missing) (?:arguments|unit character) .*$`), "引数または期間の単位がありません"},
}

// explain says in both languages what the parser found.
func explain(found string) text.Both {
	ja := "構文の誤り: " + found
	for _, e := range explanations {
		if groups := e.pattern.FindStringSubmatch(found); groups != nil {
			args := make([]any, len(groups)-1)
			for i, g := range groups[1:] {
				args[i] = g
			}
			ja = text.Say("", e.ja, args...).JA
			break
		}
	}
	return text.Both{EN: "PromQL: " + found, JA: "PromQL: " + ja}
}
