# PGXS Makefile of churn. People's targets (demo, check, dev, bench, help) are
# in GNUmakefile; this file builds and installs.

EXTENSION = churn
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(srcdir)/churn.control)

MODULE_big = churn
# A table of contents, lower layers first. Written out: a forgotten file must
# fail loudly.
OBJS = \
	src/churn.o \
	src/history/zone.o \
	src/history/spec_build.o \
	src/history/spec_text.o \
	src/history/spec.o \
	src/history/features_frequency.o \
	src/history/features_money.o \
	src/history/features_rhythm.o \
	src/history/features_trend.o \
	src/history/features_variety.o \
	src/history/features_list.o \
	src/history/features_compute.o \
	src/history/phrase_frequency.o \
	src/history/phrase_money.o \
	src/history/phrase_rhythm.o \
	src/history/phrase_trend.o \
	src/history/phrase.o \
	src/history/features.o \
	src/history/amount.o \
	src/history/calendar.o \
	src/history/history_format.o \
	src/history/kinds.o \
	src/history/history_scan.o \
	src/history/history_state.o \
	src/history/history_args.o \
	src/history/history_agg.o \
	src/history/history_view.o \
	src/history/history_text.o \
	src/history/history_io.o \
	src/history/history_ops.o \
	src/history/history_read.o \
	src/history/standing.o \
	src/history/theme.o \
	src/learn/model.o \
	src/learn/model_terms.o \
	src/learn/model_score.o \
	src/learn/model_json.o \
	src/learn/model_text_terms.o \
	src/learn/model_text.o \
	src/learn/model_info.o \
	src/learn/model_curves.o \
	src/learn/levels.o \
	src/learn/level_codes.o \
	src/learn/fit_rows.o \
	src/learn/fit_options.o \
	src/learn/encode.o \
	src/learn/bins.o \
	src/learn/thermometer.o \
	src/learn/pairs.o \
	src/learn/purify.o \
	src/learn/precondition.o \
	src/learn/newton.o \
	src/learn/penalties.o \
	src/learn/liblinear.o \
	src/learn/fit_result.o \
	src/learn/fit_linear.o \
	src/learn/fit_codes.o \
	src/learn/fit_jobs.o \
	src/learn/choose.o \
	src/learn/fit_provenance.o \
	src/learn/fit_levels.o \
	src/learn/fit.o \
	src/learn/row.o \
	src/learn/scorer.o \
	src/learn/row_reader.o \
	src/learn/fit_aggregate.o \
	src/learn/information_rows.o \
	src/learn/information_bins.o \
	src/learn/information_number.o \
	src/learn/information_level.o \
	src/learn/information.o \
	src/learn/predict.o \
	src/learn/contributions.o \
	src/learn/reasons.o \
	src/learn/fit_memory.o \
	src/measure/ranking.o \
	src/measure/ranking_flat.o \
	src/measure/ranking_io.o \
	src/measure/rank_stream.o \
	src/measure/ranking_agg.o \
	src/measure/auc.o \
	src/measure/ks.o \
	src/measure/probability.o \
	src/measure/top.o \
	src/measure/arms.o \
	src/measure/auc_test.o \
	src/measure/bins.o \
	src/measure/bootstrap.o \
	src/measure/calibration.o \
	src/measure/curves.o \
	src/measure/drift.o \
	src/measure/drift_sql.o \
	src/measure/evaluate.o \
	src/measure/figures.o \
	src/measure/hmeasure.o \
	src/measure/hull.o \
	src/measure/precision.o \
	src/measure/profit.o \
	src/measure/quantile.o \
	src/measure/survival.o \
	src/simulate/draw.o \
	src/simulate/shop.o \
	src/simulate/shop_events.o \
	src/simulate/simulate.o \
	src/study/key.o \
	src/study/source.o \
	src/study/owner.o \
	src/study/rebuild.o \
	src/study/refresh.o \
	src/study/session.o \
	src/study/fit_query.o \
	src/study/live.o \
	src/study/score.o \
	src/operate/report_field.o \
	src/operate/report_html.o \
	src/operate/report_style.o \
	src/operate/report_chart.o \
	src/operate/report_table.o \
	src/operate/report_data.o \
	src/operate/report_skill.o \
	src/operate/report_trust.o \
	src/operate/report_action.o \
	src/operate/report_model.o \
	src/operate/report_judge.o \
	src/operate/report_page.o

# The install script is these parts, joined in this order.
SQL_PARTS = \
	src/churn.sql \
	src/history/spec.sql \
	src/history/history.sql \
	src/history/history_ops.sql \
	src/history/features.sql \
	src/history/standing.sql \
	src/learn/model.sql \
	src/learn/fit.sql \
	src/learn/predict.sql \
	src/learn/fit_memory.sql \
	src/learn/information.sql \
	src/measure/ranking.sql \
	src/measure/auc.sql \
	src/measure/ks.sql \
	src/measure/precision.sql \
	src/measure/probability.sql \
	src/measure/calibration.sql \
	src/measure/top.sql \
	src/measure/hmeasure.sql \
	src/measure/profit.sql \
	src/measure/evaluate.sql \
	src/measure/curves.sql \
	src/measure/drift.sql \
	src/measure/arms.sql \
	src/measure/survival.sql \
	src/simulate/simulate.sql \
	src/study/study.sql \
	src/study/source.sql \
	src/study/stored.sql \
	src/study/snapshot.sql \
	src/study/band.sql \
	src/study/fit_query.sql \
	src/study/fit_snapshots.sql \
	src/study/fit_by_snapshot.sql \
	src/study/train.sql \
	src/study/refit.sql \
	src/study/score.sql \
	src/study/load.sql \
	src/study/rebuild.sql \
	src/study/refresh.sql \
	src/study/check_finding.sql \
	src/study/check_volume.sql \
	src/study/check_rows.sql \
	src/study/check.sql \
	src/study/window.sql \
	src/study/backtest.sql \
	src/operate/targets.sql \
	src/operate/profile.sql \
	src/operate/metric.sql \
	src/operate/verdict.sql \
	src/operate/rows.sql \
	src/operate/registry.sql \
	src/operate/slices.sql \
	src/operate/compare.sql \
	src/operate/report_figures.sql \
	src/operate/report.sql

DATA_built = churn--$(EXTVERSION).sql
DOCS =

# pg_regress pairs sql/NAME.sql + expected/NAME.out
REGRESS = \
	install \
	simulate \
	features \
	history \
	metrics \
	model \
	study \
	return
REGRESS_OPTS = --inputdir=$(srcdir) --outputdir=build/regress

# Strict IEEE arithmetic: a score may not depend on contraction into FMA.
PG_CFLAGS = -Wextra -Wno-unused-parameter -std=gnu99 -ffp-contract=off $(CHURN_CFLAGS)
# -isystem: the server's own headers are not held to -Wextra.
PG_CPPFLAGS = -I$(srcdir)/src -isystem $(shell $(PG_CONFIG) --includedir-server)
SHLIB_LINK = -llinear -lm

EXTRA_CLEAN = churn--$(EXTVERSION).sql build

PG_CONFIG ?= pg_config
# No bitcode: nothing here gains from inlining into JIT-compiled expressions.
override with_llvm = no
PGXS := $(shell $(PG_CONFIG) --pgxs)
srcdir ?= .
include $(PGXS)

churn--$(EXTVERSION).sql: $(SQL_PARTS) Makefile churn.control
	cat $(SQL_PARTS) > $@

# Every object depends on every header: a rebuild takes seconds, a stale
# struct layout takes days.
$(OBJS): $(wildcard $(srcdir)/src/*.h $(srcdir)/src/*/*.h)

# PGXS makes every object .SECONDARY: one newly listed would not be missed
# while its source is older than the library.
$(shlib): Makefile
