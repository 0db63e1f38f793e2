/*
 * Distribution functions and quantiles against values of R 4.2 (pnorm, qnorm,
 * pchisq, qchisq, pbeta with 15 digits), and quantiles as inverses.
 *
 * sources: src/measure/quantile.c
 */
#include <math.h>
#include <stdio.h>

#include "measure/quantile.h"

static int	number = 0;
static int	failures = 0;

/* One TAP line: is "have" within a relative 1e-12 of "want"? */
static void
near(double have, double want, const char *what)
{
	int			ok = fabs(have - want) <= 1e-12 * fmax(fabs(want), 1e-300);

	if (!ok)
		failures++;
	printf("%sok %d - %s: %.15g\n", ok ? "" : "not ", ++number, what, have);
}

int
main(void)
{
	near(normal_cdf(-8), 6.2209605742717849e-16, "normal_cdf(-8)");
	near(normal_cdf(-1.5), 0.066807201268858071, "normal_cdf(-1.5)");
	near(normal_cdf(0), 0.5, "normal_cdf(0)");
	near(normal_cdf(2.3), 0.98927588997832416, "normal_cdf(2.3)");
	near(normal_two_sided(1), 0.31731050786291409, "normal_two_sided(1)");
	near(normal_two_sided(5), 5.7330314375838782e-07, "normal_two_sided(5)");
	near(normal_two_sided(30), 9.8134278542963744e-198, "normal_two_sided(30)");
	near(normal_quantile(1e-10), -6.3613409024040557, "normal_quantile(1e-10)");
	near(normal_quantile(0.025), -1.9599639845400538, "normal_quantile(0.025)");
	near(normal_quantile(0.3), -0.52440051270804067, "normal_quantile(0.3)");
	near(normal_quantile(0.975), 1.9599639845400536, "normal_quantile(0.975)");
	near(chi_square_upper(0.5, 1), 0.47950012218695348, "chi_square_upper(0.5, 1)");
	near(chi_square_upper(3.6, 1), 0.057779571123597537, "chi_square_upper(3.6, 1)");
	near(chi_square_upper(40, 1), 2.5396285894708649e-10, "chi_square_upper(40, 1)");
	near(chi_square_upper(400, 1), 5.5072482372124689e-89, "chi_square_upper(400, 1)");
	near(chi_square_upper(0.5, 2), 0.77880078307140488, "chi_square_upper(0.5, 2)");
	near(chi_square_upper(3.6, 2), 0.16529888822158653, "chi_square_upper(3.6, 2)");
	near(chi_square_upper(40, 2), 2.0611536224385579e-09, "chi_square_upper(40, 2)");
	near(chi_square_upper(400, 2), 1.3838965267367376e-87, "chi_square_upper(400, 2)");
	near(chi_square_upper(0.5, 9), 0.99996956625883882, "chi_square_upper(0.5, 9)");
	near(chi_square_upper(3.6, 9), 0.93571641091397317, "chi_square_upper(3.6, 9)");
	near(chi_square_upper(40, 9), 7.5985252294642758e-06, "chi_square_upper(40, 9)");
	near(chi_square_upper(400, 9), 1.3699125019662656e-80, "chi_square_upper(400, 9)");
	near(chi_square_upper(0.5, 300), 1, "chi_square_upper(0.5, 300)");
	near(chi_square_upper(3.6, 300), 1, "chi_square_upper(3.6, 300)");
	near(chi_square_upper(40, 300), 1, "chi_square_upper(40, 300)");
	near(chi_square_upper(400, 300), 9.6786219949335727e-05, "chi_square_upper(400, 300)");
	near(chi_square_quantile(0.05, 1), 0.0039321400000195249, "chi_square_quantile(0.05, 1)");
	near(chi_square_quantile(0.95, 1), 3.841458820694124, "chi_square_quantile(0.95, 1)");
	near(chi_square_quantile(0.999, 1), 10.827566170662729, "chi_square_quantile(0.999, 1)");
	near(chi_square_quantile(0.05, 4), 0.71072302139732413, "chi_square_quantile(0.05, 4)");
	near(chi_square_quantile(0.95, 4), 9.487729036781154, "chi_square_quantile(0.95, 4)");
	near(chi_square_quantile(0.999, 4), 18.466826952903169, "chi_square_quantile(0.999, 4)");
	near(chi_square_quantile(0.05, 99), 77.046331863760287, "chi_square_quantile(0.05, 99)");
	near(chi_square_quantile(0.95, 99), 123.22522145336183, "chi_square_quantile(0.95, 99)");
	near(chi_square_quantile(0.999, 99), 148.2303591651017, "chi_square_quantile(0.999, 99)");
	near(beta_cdf(0.001, 6, 14), 2.6831254060452641e-14, "beta_cdf(0.001, 6, 14)");
	near(beta_cdf(0.1, 6, 14), 0.0085930207378461312, "beta_cdf(0.1, 6, 14)");
	near(beta_cdf(0.3, 6, 14), 0.52613747572648506, "beta_cdf(0.3, 6, 14)");
	near(beta_cdf(0.9, 6, 14), 0.99999999992872279, "beta_cdf(0.9, 6, 14)");
	near(beta_cdf(0.001, 2, 3), 5.9920030000000003e-06, "beta_cdf(0.001, 2, 3)");
	near(beta_cdf(0.1, 2, 3), 0.052300000000000027, "beta_cdf(0.1, 2, 3)");
	near(beta_cdf(0.3, 2, 3), 0.34829999999999989, "beta_cdf(0.3, 2, 3)");
	near(beta_cdf(0.9, 2, 3), 0.99629999999999996, "beta_cdf(0.9, 2, 3)");
	near(beta_cdf(0.001, 2, 1.4), 1.6795518991569686e-06, "beta_cdf(0.001, 2, 1.4)");
	near(beta_cdf(0.1, 2, 1.4), 0.016341465082448547, "beta_cdf(0.1, 2, 1.4)");
	near(beta_cdf(0.3, 2, 1.4), 0.1381620766051633, "beta_cdf(0.3, 2, 1.4)");
	near(beta_cdf(0.9, 2, 1.4), 0.91002777945490965, "beta_cdf(0.9, 2, 1.4)");
	near(beta_cdf(0.001, 2, 1001), 0.26497721357826803, "beta_cdf(0.001, 2, 1001)");
	near(beta_cdf(0.1, 2, 1001), 1, "beta_cdf(0.1, 2, 1001)");
	near(beta_cdf(0.3, 2, 1001), 1, "beta_cdf(0.3, 2, 1001)");
	near(beta_cdf(0.9, 2, 1001), 1, "beta_cdf(0.9, 2, 1001)");
	near(beta_cdf(0.001, 0.5, 0.5), 0.020135041633377489, "beta_cdf(0.001, 0.5, 0.5)");
	near(beta_cdf(0.1, 0.5, 0.5), 0.20483276469913345, "beta_cdf(0.1, 0.5, 0.5)");
	near(beta_cdf(0.3, 0.5, 0.5), 0.36901011956554525, "beta_cdf(0.3, 0.5, 0.5)");
	near(beta_cdf(0.9, 0.5, 0.5), 0.79516723530086664, "beta_cdf(0.9, 0.5, 0.5)");
	near(kolmogorov_upper(0.3), 0.99999069419866549, "kolmogorov_upper(0.3)");
	near(kolmogorov_upper(0.7), 0.71123519502968935, "kolmogorov_upper(0.7)");
	near(kolmogorov_upper(1.1), 0.17771819260640118, "kolmogorov_upper(1.1)");
	near(kolmogorov_upper(1.3), 0.068092221844766362, "kolmogorov_upper(1.3)");
	near(kolmogorov_upper(2.5), 7.4533063441573419e-06, "kolmogorov_upper(2.5)");
	for (double df = 1; df <= 3000; df *= 3)
		for (double p = 0.001; p < 1; p += 0.111)
		{
			double		x = chi_square_quantile(p, df);
			double		back = 1 - chi_square_upper(x, df);
			int			ok = fabs(back - p) < 1e-12;

			failures += !ok;
			printf("%sok %d - chi-square quantile %g, df %g\n",
				   ok ? "" : "not ", ++number, p, df);
		}
	for (double p = 1e-12; p < 1; p = p * 3 + 1e-3)
	{
		int			ok = fabs(normal_cdf(normal_quantile(p)) - p) < 1e-14;

		failures += !ok;
		printf("%sok %d - normal quantile %g\n", ok ? "" : "not ", ++number, p);
	}
	printf("1..%d\n", number);
	return failures > 0;
}
