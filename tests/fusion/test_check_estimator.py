"""Every estimator passes scikit-learn's checks."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from tumortrace.fusion import EarlyFusion, LateFusion, OverSequences, PerSequence, PlattSVC, classifier

ESTIMATORS = [
    EarlyFusion(),
    EarlyFusion(select=2, tune={"classifier__C": [0.01, 0.1]}, folds=2),
    EarlyFusion(classifier="svm"),
    EarlyFusion(classifier=classifier("forest", n_estimators=5)),
    EarlyFusion(classifier=classifier("xgboost", n_estimators=5)),
    LateFusion(),
    LateFusion(combine="weighted", folds=2),
    LateFusion(combine="stacked", folds=2),
    PerSequence(),
    OverSequences(),
    PlattSVC(),
]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_check(estimator, check):
    check(estimator)
