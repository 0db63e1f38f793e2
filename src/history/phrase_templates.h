/*-------------------------------------------------------------------------
 *
 * phrase_templates.h
 *	  Every phrase there is, in every language: the one table of words.
 *
 * A row is TEMPLATE(id, English, Chinese).  Braces hold a place:
 *
 *	  {one} {many}	  the kind: "order", "orders" (in Chinese the same word,
 *					  a deed that can be counted and denied: 下单)
 *	  {paid}		  the kind where money is meant (Chinese)
 *	  {other}		  another kind: a ratio's, the key kind
 *	  {name} {value}  a column and what it holds; {text} any other word
 *	  {a} {b} {c}	  a number, or a number written in a way of its own:
 *	  {a days}		  "1 day", "21 days"
 *	  {a last}		  "last day", "last 90 days", "last 2 years"
 *	  {a every}		  "day", "21 days"			after "every"
 *	  {a before}	  "day", "90 days"			as in "the 90 days before"
 *	  {a count}		  "no order", "1 order", "3 orders"
 *	  {a noun}		  "order", "orders"			by the number, without it
 *	  {a spans}		  "1 span", "4 spans"
 *	  {a money}		  "1,234.50"
 *	  {a sum}		  money as what it is: refunded, net of refunds …
 *	  {a each}		  the same, of one of several (a day, an event)
 *	  {a percent}	  "35%", "less than 1%"
 *	  {a whole} {a tenth} {a fixed}	  with 0, 1 and 2 decimals
 *
 * Rows below "forms" are what those ways are written with.  Chinese puts a
 * space between a character and a digit; a percentage, a column and what it
 * holds bring their own.
 *
 * Included with TEMPLATE defined: by phrase.h for the names of rows, by
 * phrase_templates.c for their texts.  The file is UTF-8.
 *
 *-------------------------------------------------------------------------
 */

/* forms: what numbers are written with */
TEMPLATE(DAYS_ONE, "{a} day", "{a} 天")
TEMPLATE(DAYS_MANY, "{a} days", "{a} 天")
TEMPLATE(LAST_DAY, "last day", "最近 1 天")
TEMPLATE(LAST_DAYS, "last {a days}", "最近 {a days}")
TEMPLATE(LAST_YEARS, "last {a} years", "最近 {a} 年")
TEMPLATE(EVERY_DAY, "day", "每天")
TEMPLATE(EVERY_DAYS, "{a days}", "每 {a days}")
TEMPLATE(BEFORE_DAY, "day", "1 天")
TEMPLATE(BEFORE_DAYS, "{a days}", "{a days}")
TEMPLATE(COUNT_NONE, "no {one}", "没有{one}")
TEMPLATE(COUNT_ONE, "{a} {one}", "{one} {a} 次")
TEMPLATE(COUNT_MANY, "{a} {many}", "{one} {a} 次")
TEMPLATE(SPANS_ONE, "{a} span", "{a} 个")
TEMPLATE(SPANS_MANY, "{a} spans", "{a} 个")
TEMPLATE(PERCENT_LITTLE, "less than 1%", "不足 1%")
TEMPLATE(PERCENT_NEARLY, "nearly 100%", "接近 100%")
TEMPLATE(PERCENT, "{a whole}%", " {a whole}%")
TEMPLATE(SUM_PLAIN, "{a money}", "金额 {a money}")
TEMPLATE(SUM_NET, "{a money} net of refunds", "扣除退款后净额 {a money}")
TEMPLATE(SUM_OWED, "{a money} more refunded than paid", "退款比付款多 {a money}")
TEMPLATE(SUM_REFUNDED, "{a money} refunded", "{one}金额 {a money}")
TEMPLATE(EACH_REFUNDED, "{a money} refunded", "金额 {a money}")

/* nothing, or too little */
TEMPLATE(NONE_IN, "no {one} in the {a last}", "{a last}没有{one}")
TEMPLATE(ONE_SO_FAR, "only one {one} so far, so no rhythm yet", "迄今只有 1 次{one}，尚无规律")
TEMPLATE(DAY_SO_FAR, "{many} on only one day so far, so no rhythm yet", "迄今只在 1 天有{one}，尚无规律")
TEMPLATE(GAP_SO_FAR, "only one gap between {many} so far", "迄今只有 1 次{one}间隔")
TEMPLATE(GAPS_EQUAL, "all gaps between {many} are equally long", "每次{one}间隔都一样长")

/* silence, tenure */
TEMPLATE(SILENCE_LATE, "no {one} for {a days}", "已 {a days}没有{one}")
TEMPLATE(SILENCE_SOON, "last {one} {a days} ago", "最近一次{one}在 {a days}前")
TEMPLATE(RHYTHM_ONLY, "; the only gap before was {a days}", "；此前唯一一次间隔为 {a days}")
TEMPLATE(RHYTHM_USUAL, "; usually every {a every}", "；通常{a every}一次")
TEMPLATE(RECENCY_SHARE, "no {one} in the last {a} of the {b days} since the first", "首次{one}以来的 {b days}中，最近 {a} 天没有{one}")
TEMPLATE(RECENCY_PREV, "the last day but one with {many} was {a days} ago", "倒数第二个{one}日在 {a days}前")
TEMPLATE(TENURE, "first {one} {a days} ago", "首次{one}在 {a days}前")
TEMPLATE(SPAN, "{a days} from the first to the last {one}", "首次与最近一次{one}相隔 {a days}")

/* how many, how often */
TEMPLATE(COUNT_IN, "{a count} in the {b last}", "{b last}{a count}")
TEMPLATE(COUNT_BEFORE, ", {a} in the {b before} before", "，此前 {b before} {a} 次")
TEMPLATE(COUNT_BEFORE_NONE, ", none in the {b before} before", "，此前 {b before}没有")
TEMPLATE(DAYS_IN, "{many} on {a days} in the {b last}", "{b last}有 {a days}{one}")
TEMPLATE(PACE, "a pace of {a count} in {b days}", "折合每 {b days}{one} {a} 次")
TEMPLATE(RATE, "{many} on {a days} in every 30", "平均每 30 天有 {a days}{one}")
TEMPLATE(DECAYED, "{a count}, where one of 30 days ago counts half", "加权后{one} {a} 次（30 天前的 1 次按半次计）")
TEMPLATE(WEEKS_ACTIVE, "active in {a percent} of the weeks since the first event", "首次互动以来，活跃的周占{a percent}")
TEMPLATE(WEEKEND_NEVER, "never active on a weekend", "从不在周末活跃")
TEMPLATE(WEEKEND_ONLY, "active only on weekends", "只在周末活跃")
TEMPLATE(WEEKEND_SHARE, "{a percent} of active days on a weekend", "活跃日中{a percent} 在周末")
TEMPLATE(WEEKDAYS, "active days spread {a percent} as evenly over the weekdays as can be", "活跃日在一周各天的均匀程度为{a percent}（完全均匀为 100%）")

/* money */
TEMPLATE(AMOUNT_WORTH, "{many} worth {a money} in the {b last}", "{b last}{paid}金额 {a money}")
TEMPLATE(AMOUNT_IN, "{a sum} in the {b last}", "{b last}{a sum}")
TEMPLATE(AMOUNT_MEAN, "{a each} per {one} in the {b last}", "{b last}平均每次{paid}{a each}")
TEMPLATE(AMOUNT_ONLY_DAY, "{a each} on the only day with {many}", "唯一一个{paid}日{a each}")
TEMPLATE(AMOUNT_LAST_DAY, "{a each} on the last day with {many}", "最近一个{paid}日{a each}")
TEMPLATE(AMOUNT_AVERAGE, ", {a money} on an average one", "，平均每个{paid}日 {a money}")
TEMPLATE(AMOUNT_AVERAGE_PAID, ", {a money} paid on an average one", "，平均每个{paid}日付款 {a money}")
TEMPLATE(AMOUNT_MOST, "at most {a each} on a day with {many}", "{paid}日中，最高一天{a each}")
TEMPLATE(AMOUNT_LEAST, "at least {a each} on every day with {many}", "{paid}日中，最低一天{a each}")
TEMPLATE(AMOUNT_VARIES, "amounts of days with {many} vary by {a percent} of their average", "各{paid}日金额的波动为平均值的{a percent}")
TEMPLATE(AMOUNT_FEW, "too few amounts of {many} to compare", "有金额的{paid}太少，无法比较")
TEMPLATE(AMOUNT_TREND, "{a percent} of the money for {many} in the {b last} came in the {c last}", "{b last}的{paid}金额中{a percent} 来自{c last}")
TEMPLATE(AMOUNT_TREND_NONE, "no money for {many} to compare in the {b last}", "{b last}没有可比较的{paid}金额")

/* rhythm */
TEMPLATE(OVERDUE_WITHIN, ", within the average gap of {b days}", "，未超过平均间隔 {b days}")
TEMPLATE(OVERDUE_TIMES, ", {a} times the average gap of {b days}", "，是平均间隔 {b days}的 {a} 倍")
TEMPLATE(OVERDUE_ABOVE, ", {a} standard deviations above the average gap of {b days}", "，比平均间隔 {b days}长 {a} 个标准差")
TEMPLATE(OVERDUE_BELOW, ", {a} standard deviations below the average gap of {b days}", "，比平均间隔 {b days}短 {a} 个标准差")
TEMPLATE(GAP_IS_ONLY, "only", "唯一")
TEMPLATE(GAP_IS_USUAL, "usual", "通常")
TEMPLATE(GAP_IS_LONGEST, "longest", "最长")
TEMPLATE(GAP_PAST, "{a days} past the {text} gap of {b days} between {many}", "已超过{text}的{one}间隔（{b days}）{a days}")
TEMPLATE(GAP_SHORT, "{a days} short of the {text} gap of {b days} between {many}", "距{text}的{one}间隔（{b days}）还差 {a days}")
TEMPLATE(GAP_TODAY, "today at the end of the {text} gap of {b days} between {many}", "今天正好达到{text}的{one}间隔（{b days}）")
TEMPLATE(GAP_ONLY, "the only gap between {many} was {a days}", "唯一一次{one}间隔为 {a days}")
TEMPLATE(GAP_MEAN, "{a days} between {many} on average", "{one}间隔平均 {a days}")
TEMPLATE(GAP_MEDIAN, "usually {a days} between {many}", "{one}间隔通常为 {a days}")
TEMPLATE(GAP_MAX, "the longest gap between {many} was {a days}", "最长的{one}间隔为 {a days}")
TEMPLATE(GAP_LAST, "the last gap between {many} was {a days}, the longest {b days}", "最近一次{one}间隔为 {a days}，最长的为 {b days}")
TEMPLATE(GAP_LAST_MAX, "the last gap between {many} was {a days}, none longer", "最近一次{one}间隔为 {a days}，是最长的一次")
TEMPLATE(GAP_SD, "gaps between {many} vary by {a days} around their average of {b days}", "{one}间隔平均 {b days}，上下波动 {a days}")
TEMPLATE(GAP_CV, "gaps between {many} vary by {a percent} of their average", "{one}间隔的波动为平均值的{a percent}")
TEMPLATE(GAP_STEADY, "gaps between {many} neither lengthen nor shorten", "{one}间隔既没有变长也没有变短")
TEMPLATE(GAP_LONGER, "each gap between {many} {a days} longer than the one before on average", "{one}间隔平均每次比上一次长 {a days}")
TEMPLATE(GAP_SHORTER, "each gap between {many} {a days} shorter than the one before on average", "{one}间隔平均每次比上一次短 {a days}")
TEMPLATE(RANK_EVERY, "every gap between {many} was longer than the present {b days}", "以往每次{one}间隔都比当前的 {b days}长")
TEMPLATE(RANK_NONE, "no gap between {many} was longer than the present {b days}", "以往的{one}间隔从未超过当前的 {b days}")
TEMPLATE(RANK_SOME, "{a percent} of the gaps between {many} were no longer than the present {b days}", "以往的{one}间隔中{a percent} 不超过当前的 {b days}")
TEMPLATE(LAPSES_NONE, "no gap between {many} longer than {b days}", "{one}间隔从未超过 {b days}")
TEMPLATE(LAPSES_ONE, "{a} gap between {many} longer than {b days}", "有 {a} 次{one}间隔超过 {b days}")
TEMPLATE(LAPSES_MANY, "{a} gaps between {many} longer than {b days}", "有 {a} 次{one}间隔超过 {b days}")
TEMPLATE(KEPT_YOUNG, "first {one} less than {b days} ago", "首次{one}距今不到 {b days}")
TEMPLATE(KEPT_NONE, "no {one} in any of the last {c spans} of {b days}", "最近 {c spans} {b days}周期内都没有{one}")
TEMPLATE(KEPT_IN, "{many} in {a} of the last {c spans} of {b days}", "最近 {c spans} {b days}周期中有 {a} 个有{one}")
TEMPLATE(CLUMPY_NOT, "{many} spread evenly over time (clumpiness {a fixed}: 0 is even, 1 all at once)", "{one}在时间上分布均匀（集中度 {a fixed}：0 为均匀，1 为完全集中）")
TEMPLATE(CLUMPY_SOME, "{many} somewhat bunched in time (clumpiness {a fixed}: 0 is even, 1 all at once)", "{one}在时间上略为集中（集中度 {a fixed}：0 为均匀，1 为完全集中）")
TEMPLATE(CLUMPY, "{many} bunched together in time (clumpiness {a fixed}: 0 is even, 1 all at once)", "{one}在时间上高度集中（集中度 {a fixed}：0 为均匀，1 为完全集中）")
TEMPLATE(SECOND, "second {one} {a days} after the first", "首次{one} {a days}后再次{one}")

/* trend */
TEMPLATE(TREND_NONE, "no {one} in the {a last}, down from {b}", "{a last}没有{one}，此前为 {b} 次")
TEMPLATE(TREND_SAME, "{many} in the {a last} unchanged at {b}", "{a last}{one} {b} 次，与此前持平")
TEMPLATE(TREND_DOWN, "{many} in the {a last} down to {b} from {c}", "{a last}{one} {b} 次，少于此前的 {c} 次")
TEMPLATE(TREND_UP, "{many} in the {a last} up to {b} from {c}", "{a last}{one} {b} 次，多于此前的 {c} 次")
TEMPLATE(TREND_NEW, "{many} in the {a last} up to {b} from none", "{a last}{one} {b} 次，此前没有")
TEMPLATE(DIFF_SAME, "as many {many} in the {b last} as in the {b before} before", "{b last}的{one}次数与此前 {b before}相同")
TEMPLATE(DIFF_FEWER, "{a} fewer {a noun} in the {b last} than in the {b before} before", "{b last}比此前 {b before}少{one} {a} 次")
TEMPLATE(DIFF_MORE, "{a} more {a noun} in the {b last} than in the {b before} before", "{b last}比此前 {b before}多{one} {a} 次")
TEMPLATE(SLOPE_STEADY, "{many} per week steady over {b} weeks", "近 {b} 周每周{one}次数平稳")
TEMPLATE(SLOPE_FALL, "{many} per week fall by {a percent} a week over {b} weeks", "近 {b} 周{one}次数平均每周下降{a percent}")
TEMPLATE(SLOPE_RISE, "{many} per week rise by {a percent} a week over {b} weeks", "近 {b} 周{one}次数平均每周上升{a percent}")
TEMPLATE(YEAR_NEITHER, "no {one} in the last 30 days nor in the same days a year ago", "最近 30 天和去年同期都没有{one}")
TEMPLATE(YEAR_GONE, "no {one} in the last 30 days, but in the same days a year ago", "最近 30 天没有{one}，而去年同期有")
TEMPLATE(YEAR_NEW, "{many} in the last 30 days, but none in the same days a year ago", "最近 30 天有{one}，而去年同期没有")
TEMPLATE(YEAR_SHARE, "{a percent} of the {many} of the last 30 days and the same days a year ago are recent", "最近 30 天与去年同期的{one}合计，最近 30 天占{a percent}")

/* one kind against others */
TEMPLATE(KEY_SINCE, "{a count} since the last {other}", "最近一次{other}以来{a count}")
TEMPLATE(KEY_SAME_DAY, "last {one} on the day of the last {other}", "最近一次{one}与最近一次{other}在同一天")
TEMPLATE(KEY_BEFORE, "last {one} {a days} before the last {other}", "最近一次{one}比最近一次{other}早 {a days}")
TEMPLATE(KEY_AFTER, "last {one} {a days} after the last {other}", "最近一次{one}比最近一次{other}晚 {a days}")
TEMPLATE(KINDS_ONE, "{a} kind of events in the {b last}", "{b last}有 {a} 种互动")
TEMPLATE(KINDS_MANY, "{a} kinds of events in the {b last}", "{b last}有 {a} 种互动")
TEMPLATE(KINDS_ONLY, "only one kind of events so far", "迄今只有 1 种互动")
TEMPLATE(KINDS_ENTROPY, "mix of kinds of events with an entropy of {a fixed}", "互动种类的熵为 {a fixed}")
TEMPLATE(KINDS_MIXED, "kinds of events mixed {a percent} as evenly as can be", "各种互动的均匀程度为{a percent}（完全均匀为 100%）")
TEMPLATE(RATIO, "{a count} per {other} in the {b last}", "{b last}平均每次{other}{one} {a} 次")
TEMPLATE(RATIO_NONE, "{a count} per {other} in the {b last}", "{b last}有{other}，但没有{one}")

/* columns of a row */
TEMPLATE(COLUMN_IS, "{name} is {value}", "{name}为{value}")
TEMPLATE(COLUMN_TRUE, "{name} is true", "{name}为“是”")
TEMPLATE(COLUMN_FALSE, "{name} is false", "{name}为“否”")
TEMPLATE(COLUMN_BC, "{name} is {value} BC", "{name}为公元前{value}")
TEMPLATE(COLUMN_MISSING, "{name} is not known", "{name}不详")
TEMPLATE(COLUMN_BEYOND, "{name} is out of range", "{name}超出范围")

/* what is said of a score as a whole */
TEMPLATE(SCORE_BASE, "the average user: a score of {a tenth}%", "平均用户：得分 {a tenth}%")
TEMPLATE(SCORE_UNNAMED, "what is not to be named", "不予列名的因素")
TEMPLATE(SCORE_UNKNOWN, "no events of this user are known", "没有该用户的任何记录")
TEMPLATE(SCORE_NEVER, "no event of a key kind before {value}", "在{value}之前没有关键行为")
TEMPLATE(SCORE_LAPSED, "silent for longer than the active window: has left already", "沉默时间超过活跃窗口：已经流失")
TEMPLATE(SCORE_YOUNG, "a customer for less than the minimum tenure", "成为客户的时间短于最短客龄")

/* nouns of all kinds together, and of several key kinds */
TEMPLATE(EVENT, "event", "互动")
TEMPLATE(EVENTS, "events", "互动")
TEMPLATE(EVENT_PAID, "event", "交易")
TEMPLATE(KEY_EVENT, "key event", "关键行为")
TEMPLATE(KIND_OF, "{text}", "“{text}”")
TEMPLATE(KIND_PART, "{text}", "{other}（{text}）")

/*
 * Kinds by their name: English is the name itself, its plural or upper case
 * the same kind.  They stand last.
 */
TEMPLATE(KIND_ORDER, "order", "下单")
TEMPLATE(KIND_PURCHASE, "purchase", "购买")
TEMPLATE(KIND_BUY, "buy", "购买")
TEMPLATE(KIND_SALE, "sale", "购买")
TEMPLATE(KIND_PAYMENT, "payment", "付款")
TEMPLATE(KIND_TRANSACTION, "transaction", "交易")
TEMPLATE(KIND_CHECKOUT, "checkout", "结算")
TEMPLATE(KIND_CART, "cart", "加购")
TEMPLATE(KIND_WISHLIST, "wishlist", "收藏")
TEMPLATE(KIND_FAVORITE, "favorite", "收藏")
TEMPLATE(KIND_FAVOURITE, "favourite", "收藏")
TEMPLATE(KIND_VIEW, "view", "浏览")
TEMPLATE(KIND_BROWSE, "browse", "浏览")
TEMPLATE(KIND_PAGE_VIEW, "page_view", "浏览")
TEMPLATE(KIND_CLICK, "click", "点击")
TEMPLATE(KIND_SEARCH, "search", "搜索")
TEMPLATE(KIND_VISIT, "visit", "到访")
TEMPLATE(KIND_SESSION, "session", "访问")
TEMPLATE(KIND_LOGIN, "login", "登录")
TEMPLATE(KIND_OPEN, "open", "打开")
TEMPLATE(KIND_SIGNUP, "signup", "注册")
TEMPLATE(KIND_REFUND, "refund", "退款")
TEMPLATE(KIND_RETURN, "return", "退货")
TEMPLATE(KIND_EXCHANGE, "exchange", "换货")
TEMPLATE(KIND_CANCEL, "cancel", "取消")
TEMPLATE(KIND_CANCELLATION, "cancellation", "取消")
TEMPLATE(KIND_DELIVERY, "delivery", "收货")
TEMPLATE(KIND_TICKET, "ticket", "提交工单")
TEMPLATE(KIND_COMPLAINT, "complaint", "投诉")
TEMPLATE(KIND_CALL, "call", "来电")
TEMPLATE(KIND_CHAT, "chat", "咨询")
TEMPLATE(KIND_MESSAGE, "message", "留言")
TEMPLATE(KIND_REVIEW, "review", "评价")
TEMPLATE(KIND_COMMENT, "comment", "评论")
TEMPLATE(KIND_SHARE, "share", "分享")
TEMPLATE(KIND_LIKE, "like", "点赞")
TEMPLATE(KIND_FOLLOW, "follow", "关注")
TEMPLATE(KIND_COUPON, "coupon", "用券")
TEMPLATE(KIND_SUBSCRIPTION, "subscription", "订阅")
TEMPLATE(KIND_RENEWAL, "renewal", "续费")
TEMPLATE(KIND_DEPOSIT, "deposit", "充值")
TEMPLATE(KIND_WITHDRAWAL, "withdrawal", "提现")
TEMPLATE(KIND_TRANSFER, "transfer", "转账")
TEMPLATE(KIND_BOOKING, "booking", "预订")
TEMPLATE(KIND_TRIP, "trip", "出行")
TEMPLATE(KIND_DOWNLOAD, "download", "下载")
TEMPLATE(KIND_UPLOAD, "upload", "上传")
TEMPLATE(KIND_POST, "post", "发帖")
TEMPLATE(KIND_PLAY, "play", "播放")
TEMPLATE(KIND_WATCH, "watch", "观看")
