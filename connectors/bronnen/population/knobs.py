"""How the synthetic population is made up."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Knobs:
    """Shares between 0 and 1. The defaults keep the proportions of the field: most records are wages, most of them regular."""

    without_benefit: float = 0.20  # persons about whom nothing may be kept
    second_benefit: float = 0.10  # of those with one
    second_elsewhere: float = 0.05  # of these: at another gemeente than the first, most of them over days that both pay
    moves: float = 0.04  # benefits that end at one gemeente and begin at another
    amsterdam: float = 0.10  # benefits that Amsterdam pays
    four_weekly: float = 0.15  # employers that pay every four weeks
    new_ikv_same_job: float = 0.10  # inkomstenverhoudingen that an administration renumbers while the job goes on
    uwv_benefit: float = 0.15
    svb_pension: float = 0.08
    study_finance: float = 0.10
    vehicle: float = 0.15
    assets: float = 0.08
    detention: float = 0.01
    higher_education: float = 0.03
    aio: float = 0.05  # an incomplete AOW that SVB supplements
    school_leavers: float = 0.05  # who left secondary school and are expected in vocational education
    young: float = 0.08  # whom a gemeente follows in its RMC function
    reclaimed: float = 0.05  # from whom a gemeente reclaims bijstand
    scheme_applications: float = 0.06  # for a scheme that depends on income
    remission_applications: float = 0.06  # of local taxes; half of them by two people
    support_applications: float = 0.04  # under the Wmo or the Jeugdwet
    attachments: float = 0.03  # for which a beslagvrije voet is to be set
    declared: float = 0.05  # of the jobs of persons with a benefit: to the gemeente that pays
    deaths: float = 0.01  # within the simulated time
    mistaken_deaths: float = 0.10  # of them; withdrawn later
    corrected: float = 0.08  # records that get a second version
    withdrawn: float = 0.02  # records that are withdrawn in the end
    late: float = 0.50  # of the versions behind a first: arrives before the one that it replaces
    doubled: float = 0.03  # deliveries that come twice
