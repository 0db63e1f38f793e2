# PGXS Makefile of churn. People's targets (demo, check, dev, bench, help) are
# in GNUmakefile; this file builds and installs.

EXTENSION = churn
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(srcdir)/churn.control)

MODULE_big = churn
# A table of contents, lower layers first. Written out: a forgotten file must
# fail loudly.
OBJS = \
	src/churn.o \
	src/measure/quantile.o \
	src/measure/figures.o \
	src/measure/ranking.o \
	src/measure/ranking_flat.o \
	src/measure/ranking_io.o \
	src/measure/rank_stream.o \
	src/measure/ranking_agg.o \
	src/measure/auc.o \
	src/measure/auc_test.o \
	src/measure/bootstrap.o \
	src/measure/ks.o \
	src/measure/precision.o \
	src/measure/probability.o \
	src/measure/bins.o \
	src/measure/calibration.o \
	src/measure/top.o \
	src/measure/hull.o \
	src/measure/hmeasure.o \
	src/measure/profit.o \
	src/measure/evaluate.o \
	src/measure/curves.o \
	src/measure/drift.o \
	src/measure/drift_sql.o \
	src/measure/arms.o

# The install script is these parts, joined in this order.
SQL_PARTS = \
	src/churn.sql \
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
	src/measure/arms.sql

DATA_built = churn--$(EXTVERSION).sql
DOCS =

# pg_regress pairs sql/NAME.sql + expected/NAME.out
REGRESS = \
	install \
	metrics
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
